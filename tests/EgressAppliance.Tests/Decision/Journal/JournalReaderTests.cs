using System.Text;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;

namespace EgressAppliance.Tests.Decision.Journal;

/// <summary>Files that are cut short, damaged or hostile: a typed outcome, what is whole is replayed, and nothing throws.</summary>
public class JournalReaderTests
{
    private static readonly byte[] Whole = Small();
    private static readonly string[] Text = JournalFiles.Lines(Whole);

    [Fact]
    public void Replay_file_cut_at_any_octet_gives_what_is_whole()
    {
        JournalReplayResult all = JournalFiles.Replay(Whole);
        Assert.True(all.IsComplete);
        long before = 0;
        int withoutHeader = 0;
        for (int length = 0; length < Whole.Length; length++)
        {
            JournalReplayResult result = JournalFiles.Replay(Whole[..length]);
            long calls = Calls(result);
            Assert.Equal(0, result.Differences);
            Assert.True(calls >= before, "less came of more");
            before = calls;
            if (result.Header is null)
            {
                Assert.Equal((JournalFaultKind.NoHeader, 1L), (result.Fault!.Kind, result.Fault.Line));
                withoutHeader++;
            }
            else
            {
                Assert.Null(result.Fault);
            }

            // The octets of the gzip trailer are missed by nobody once the last line is there.
            Assert.True(!result.IsComplete || calls == Calls(all));
        }

        Assert.InRange(withoutHeader, 10, Whole.Length / 2);
        Assert.Equal(Calls(all), before);
    }

    [Theory]
    [InlineData("[]", true)]
    [InlineData("[\"10.0.0.0/8\"]", false)]
    public void Replay_journal_of_a_version_with_denied_prefixes_among_the_options_is_read_if_there_are_none(string denied, bool read)
    {
        string[] lines = [.. Text];
        lines[0] = lines[0].Replace("\"planner\":{", $"\"planner\":{{\"denied\":{denied},", StringComparison.Ordinal);
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfText(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n")));
        Assert.Equal(read, result is { Fault: null, IsComplete: true, Differences: 0 });
        Assert.Equal(read ? null : JournalFaultKind.UnknownMember, result.Fault?.Kind);
    }

    [Fact]
    public void Replay_policies_are_read_as_they_were_written_each_once()
    {
        using MemoryStream file = new();
        using (JournalFileWriter writer = new(file, new JournalHeader()))
        {
            DecisionController controller = new(new());
            for (int i = 0; i < 3; i++)
            {
                PrefixDemand[] prefixes =
                [
                    Lab.Demand(1, 50, "a", "b").By(Lab.Pin("b")), Lab.Demand(2, 50, "a", "b").By(Lab.Pin("b")) with { ErrorRatio = 0.1 }, Lab.Demand(3, 5, "a", "b"), Lab.Demand(4, 5, "a", "b").By(Lab.Deny),
                ];
                CycleCall call = new(new CycleInput { Now = Lab.Start.AddSeconds(5 * i), Links = [Lab.Link("a"), Lab.Link("b")], Prefixes = prefixes });
                writer.Add(call, call.Invoke(controller));
            }

            writer.Complete();
        }

        string[] lines = JournalFiles.Lines(file.ToArray());
        Assert.Equal(2, lines.Sum(l => l.Split("\"action\":").Length - 1));
        Assert.Contains("[\"10.0.1.0/24\",50000000,0,null,0],[\"10.0.2.0/24\",50000000,0,0.1,0],[\"10.0.3.0/24\",5000000,0],", lines[1], StringComparison.Ordinal);
        JournalReplayResult result = JournalFiles.Replay(file.ToArray());
        Assert.True(result is { Fault: null, IsComplete: true, Differences: 0, Cycles: 3 });
    }

    [Fact]
    public void Replay_file_flushed_and_never_closed_has_everything()
    {
        using MemoryStream file = new();
        using JournalFileWriter writer = new(file, new JournalHeader());
        DecisionController controller = new(new());
        for (int i = 1; i <= 20; i++)
        {
            SetModeCall call = new((DecisionMode)(i % 2), Lab.Start.AddSeconds(i));
            writer.Add(call, call.Invoke(controller));
            writer.Flush();
            Assert.Equal(file.Length, writer.Length);
            JournalReplayResult result = JournalFiles.Replay(file.ToArray());
            Assert.Equal((i, 0, false, null), (result.Commands, result.Differences, result.IsComplete, result.Fault));
        }
    }

    [Fact]
    public void Replay_any_damaged_octet_of_the_compressed_file_gives_a_typed_outcome()
    {
        int noticed = 0;
        for (int at = 0; at < Whole.Length; at++)
        {
            byte[] damaged = [.. Whole];
            damaged[at] ^= (byte)(1 << (at % 8));
            JournalReplayResult result = JournalFiles.Replay(damaged);
            bool unharmed = result is { Fault: null, IsComplete: true, Differences: 0 } && Calls(result) == Text.Length - 2;
            noticed += unharmed ? 0 : 1;

            // The time and the system of the gzip header are in no sum (RFC 1952 section 2.3.1), and the bits that fill a block up to an octet say nothing (RFC 1951 section 3.2.4).
            Assert.True(!unharmed || at is >= 4 and < 10 || JournalFiles.Lines(damaged).SequenceEqual(Text), $"damage at {at} was not noticed");
        }

        Assert.True(noticed >= Whole.Length - 12);
    }

    [Fact]
    public void Replay_any_changed_text_gives_a_typed_outcome()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', Text) + "\n");
        Random random = new(7);
        int faults = 0;
        for (int i = 0; i < 1500; i++)
        {
            byte[] changed = [.. text];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int at = random.Next(changed.Length);
                changed[at] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => "{}[],:\"\\-0919eEtfn\n "u8[random.Next(20)],
                    _ => changed[random.Next(changed.Length)],
                };
            }

            int cut = random.Next(4) == 0 ? random.Next(changed.Length) : 0;
            JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfText(random.Next(2) == 0 ? changed[cut..] : changed[..(changed.Length - cut)]));
            faults += result.Fault is null ? 0 : 1;
            Assert.True(result.Fault is null || result.Fault.ToString().Length < 1000);
            Assert.True(result.Header is not null || result.Fault is not null);
        }

        Assert.InRange(faults, 150, 1499);
    }

    [Theory]
    [InlineData("", JournalFaultKind.NoHeader, 1, "ends before its header")]
    [InlineData("null\n", JournalFaultKind.BadLine, 1, "no journal")]
    [InlineData("{}\n", JournalFaultKind.BadLine, 1, "no journal")]
    [InlineData("{\"journal\":\"1\"}\n", JournalFaultKind.BadLine, 1, "no journal")]
    [InlineData("{\"journal\":2,\"anything\":true}\n", JournalFaultKind.UnknownVersion, 1, "format 2")]
    [InlineData("{\"journal\":99999999999999999999}\n", JournalFaultKind.UnknownVersion, 1, "format 9999")]
    [InlineData("{\"journal\":1}\n", JournalFaultKind.BadLine, 1, "'state' is missing")]
    [InlineData("not json\n", JournalFaultKind.BadLine, 1, "invalid")]
    public void Replay_first_line_that_is_no_header(string text, JournalFaultKind kind, long line, string message)
    {
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfText(Encoding.UTF8.GetBytes(text)));
        Assert.Null(result.Header);
        Assert.Equal((kind, line), (result.Fault!.Kind, result.Fault.Line));
        Assert.Contains(message, result.Fault.Message, StringComparison.Ordinal);
        Assert.StartsWith("file:1: ", result.Fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"grace\":", "\"disgrace\":", JournalFaultKind.UnknownMember, "disgrace")]
    [InlineData("\"lease\":\"00:00:30\"", "\"lease\":30", JournalFaultKind.BadLine, "lease")]
    [InlineData("\"planner\":{", "\"planner\":null,\"x\":{", JournalFaultKind.BadLine, "planner")]
    [InlineData("\"links\":[]", "\"links\":[null]", JournalFaultKind.BadLine, "state.links")]
    [InlineData("\"problems\":[]", "\"problems\":null", JournalFaultKind.BadLine, "problems")]
    [InlineData("\"mode\":\"inject\"", "\"mode\":\"eject\"", JournalFaultKind.BadLine, "mode")]
    [InlineData("\"mode\":\"inject\"", "\"mode\":\"inject\",\"mode\":\"observe\"", JournalFaultKind.BadLine, "uplicate")]
    public void Replay_bad_member_of_the_header(string text, string replaced, JournalFaultKind kind, string message) =>
        AssertFault([Text[0].Replace(text, replaced, StringComparison.Ordinal), .. Text[1..]], kind, 1, message);

    [Theory]
    [InlineData("{\"call\":\"dance\",\"returned\":{}}", JournalFaultKind.UnknownMember, "the call 'dance'")]
    [InlineData("{\"call\":\"lost\",\"prefix\":\"10.0.0.0/8\",\"why\":1,\"returned\":{}}", JournalFaultKind.UnknownMember, "'why'")]
    [InlineData("{\"call\":\"lost\",\"prefix\":\"10.0.0.1/8\",\"returned\":{}}", JournalFaultKind.BadLine, "'10.0.0.1/8' is not a prefix")]
    [InlineData("{\"call\":\"lost\",\"prefix\":8,\"returned\":{}}", JournalFaultKind.BadLine, "String")]
    [InlineData("{\"call\":\"lost\",\"prefix\":\"10.0.0.0/8\"}", JournalFaultKind.BadLine, "'returned' is missing")]
    [InlineData("{\"call\":\"withdraw_all\",\"now\":\"yesterday\",\"returned\":{}}", JournalFaultKind.BadLine, "")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[{}],\"prefixes\":[],\"health\":{},\"returned\":{}}", JournalFaultKind.BadLine, "'name' is missing")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[null],\"prefixes\":[],\"health\":{},\"returned\":{}}", JournalFaultKind.BadLine, "an object is expected")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[],\"prefixes\":[[\"10.0.0.0/8\",1,7]],\"health\":{},\"returned\":{}}", JournalFaultKind.BadLine, "no list of paths 7")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[],\"prefixes\":[[\"10.0.0.0/8\",1]],\"health\":{},\"returned\":{}}", JournalFaultKind.BadLine, "3 to 6")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[],\"prefixes\":[[\"10.0.0.0/8\",1e30,0]],\"health\":{},\"returned\":{}}", JournalFaultKind.BadLine, "")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[],\"paths\":[[null]],\"prefixes\":[],\"health\":{},\"returned\":{}}", JournalFaultKind.BadLine, "null")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[],\"prefixes\":[],\"health\":{},\"observed\":{\"10.0.0.0/8\":null},\"returned\":{}}", JournalFaultKind.BadLine, "observed")]
    [InlineData("{\"call\":\"cycle\",\"now\":\"2026-01-01T00:00:00Z\",\"links\":[],\"prefixes\":[],\"health\":{},\"unseen\":[0],\"returned\":{}}", JournalFaultKind.BadLine, "there is no prefix 0; there are 0")]
    [InlineData("{\"call\":\"end\",\"calls\":3}", JournalFaultKind.BadLine, "says it has 3 calls and has 1")]
    [InlineData("", JournalFaultKind.BadLine, "JSON")]
    public void Replay_bad_line_ends_the_replay_there(string line, JournalFaultKind kind, string message)
    {
        JournalReplayResult result = AssertFault([.. Text[..2], line, .. Text[2..]], kind, 3, message);
        Assert.Equal(1, Calls(result));
        Assert.False(result.IsComplete);
    }

    [Fact]
    public void Replay_what_follows_the_last_line_is_a_fault()
    {
        AssertFault([.. Text, Text[1]], JournalFaultKind.BadLine, Text.Length + 1, "follows the last line");
        AssertFault([.. Text, ""], JournalFaultKind.BadLine, Text.Length + 1, "follows the last line");
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfText(Encoding.UTF8.GetBytes(string.Join('\n', Text) + "\n{")));
        Assert.Equal((JournalFaultKind.BadLine, (long)Text.Length), (result.Fault!.Kind, result.Fault.Line));
    }

    [Fact]
    public void Replay_deep_nesting_is_a_bad_line() =>
        AssertFault([Text[0], new string('[', 100_000)], JournalFaultKind.BadLine, 2, "depth");

    [Fact]
    public void Read_line_longer_than_any_that_is_written_is_refused_without_being_held()
    {
        // A thousand times as long as the limit, and three octets of file for every thousand of it.
        byte[] bomb = new byte[64 << 20];
        Array.Fill(bomb, (byte)'[');
        byte[] file = JournalFiles.OfText([.. Encoding.UTF8.GetBytes(Text[0] + "\n"), .. bomb]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using JournalReader reader = new(new MemoryStream(file), "bomb", maxLineBytes: 64 << 10);
        Assert.False(reader.TryRead(out _, out _));
        Assert.Equal((JournalFaultKind.LineTooLong, 2L), (reader.Fault!.Kind, reader.Fault.Line));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        Assert.False(reader.TryRead(out _, out _));
    }

    [Fact]
    public void Replay_what_is_no_gzip_file_is_corrupt()
    {
        JournalReplayResult result = JournalFiles.Replay("version: 1\nsite: fra1\n"u8.ToArray());
        Assert.Equal(JournalFaultKind.Corrupt, result.Fault!.Kind);
        Assert.Contains("no gzip file", result.Fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_file_that_cannot_be_read_is_unreadable()
    {
        using FailingStream stream = new(new MemoryStream(Whole), 100);
        JournalReplayResult result = JournalReplayer.Replay(stream, "file");
        Assert.Equal((JournalFaultKind.Unreadable, "the disk fails"), (result.Fault!.Kind, result.Fault.Message));
    }

    [Fact]
    public void Replay_absent_members_have_the_defaults_of_their_records()
    {
        string header = """{"journal":1,"program":"old","written":"2026-01-01T00:00:00Z","options":{"planner":{"max_moves_per_cycle":3}},"state":{"mode":"inject"}}""";
        using JournalReader reader = new(new MemoryStream(JournalFiles.OfLines(
            header, """{"call":"cycle","now":"2026-01-01T00:00:00Z","links":[{"name":"a","capacity_bps":5}],"prefixes":[],"health":{},"returned":{}}""")), "file");
        Assert.Null(reader.Fault);
        Assert.Equivalent(new ControllerOptions { Planner = new() { MaxMovesPerCycle = 3 } }, reader.Header!.Options, strict: true);
        Assert.Equivalent(new ControllerState { Mode = DecisionMode.Inject }, reader.Header.State, strict: true);
        Assert.True(reader.TryRead(out JournalCall? call, out _));
        CycleInput input = Assert.IsType<CycleCall>(call).Input;
        Assert.Equal(new() { Name = "a", CapacityBps = 5 }, Assert.Single(input.Links));
        Assert.Equal(new InputHealth(), input.Health);
    }

    [Fact]
    public void Replay_options_that_the_controller_cannot_reckon_with_are_a_difference()
    {
        string header = Text[0].Replace("\"grace\":\"00:01:00\"", "\"lease\":\"10675199.02:48:05.4775807\"", StringComparison.Ordinal)
            .Replace("\"lease\":\"00:00:30\",", "", StringComparison.Ordinal);
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfLines([header, .. Text[1..]]));
        Assert.Null(result.Fault);
        Assert.Contains(result.First, d => d.What == "threw" && d.Got!.Contains("ArgumentOutOfRange", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_failure_of_the_destination_passes()
    {
        using FailingStream stream = new(new MemoryStream(), 150);
        using JournalFileWriter writer = new(stream, new JournalHeader());
        Assert.Throws<IOException>(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                LostCall call = new(Lab.Prefix(i));
                writer.Add(call, new JournalReturn { Known = false });
                writer.Flush();
            }
        });
    }

    private static JournalReplayResult AssertFault(string[] lines, JournalFaultKind kind, long line, string message)
    {
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfLines(lines));
        Assert.NotNull(result.Fault);
        Assert.True((kind, line) == (result.Fault.Kind, result.Fault.Line), result.Fault.ToString());
        Assert.Contains(message, result.Fault.Message, StringComparison.OrdinalIgnoreCase);
        return result;
    }

    private static long Calls(JournalReplayResult result) => result.Cycles + result.Commands + result.Reports;

    private static byte[] Small()
    {
        using JournalFiles journal = new(100);
        RecordingController controller = new(new DecisionController(new(), DecisionMode.Inject), journal);
        CycleInput input = new() { Now = Lab.Start, Links = [Lab.Link("a", 1000, 900), Lab.Link("b")], Prefixes = [Lab.Demand(1, 100, "a", "b")] };
        controller.Cycle(input);
        controller.Announced(Lab.Prefix(1), ok: true, Lab.Start);
        controller.Cycle(input with { Now = Lab.Start.AddSeconds(5) });
        controller.AddOverride(Lab.Prefix(2), "b", ["a", "b"], Lab.Start.AddSeconds(6), 1000);
        controller.ReleaseOverride(Lab.Prefix(2), Lab.Start.AddSeconds(7));
        controller.Lost(Lab.Prefix(1));
        controller.SetMode(DecisionMode.Observe, Lab.Start.AddSeconds(8));
        controller.WithdrawAll(Lab.Start.AddSeconds(9));
        return Assert.Single(journal.Close());
    }
}
