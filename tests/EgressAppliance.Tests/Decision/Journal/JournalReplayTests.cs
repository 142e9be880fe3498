using System.Globalization;
using System.Text;
using EgressAppliance.Decision;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Journal;
using EgressAppliance.Decision.Json;
using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Decision.Journal;

public class JournalReplayTests
{
    [Fact]
    public void Replay_any_sequence_of_calls_every_file_alone_is_equal()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            using JournalFiles journal = new(callsPerFile: 1 + (seed % 17));
            IReadOnlyList<CycleOutcome> outcomes = new RandomCalls(seed, journal).Run(30);
            IReadOnlyList<byte[]> files = journal.Close();
            List<JournalReplayResult> results = [.. files.Select((f, i) => JournalFiles.Replay(f, JournalFiles.Name(i)))];
            Assert.All(results, r => Assert.Null(r.Fault));
            Assert.All(results, r => Assert.True(r.IsComplete));
            Assert.All(results, r => Assert.Empty(r.First));
            Assert.All(results, r => Assert.Equal(0, r.Differences));
            Assert.All(results.Zip(results.Skip(1)), r => Assert.Null(JournalReplayer.CompareStates(r.First, r.Second)));
            Assert.Equal(outcomes.Count, results.Sum(r => r.Cycles + r.Commands));
            Assert.Equal(outcomes.Sum(o => o.Plan?.Moves.Count ?? 0), results.Sum(r => r.Moves));
            Assert.Equal(outcomes.Sum(o => o.Announce.Count), results.Sum(r => r.Reports) - results.Sum(r => CallsNamed(files[results.IndexOf(r)], "lost")));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void RandomCalls_meet_every_call_and_most_verdicts()
    {
        HashSet<string> calls = [];
        HashSet<string> verdicts = [];
        for (int seed = 0; seed < 40; seed++)
        {
            using JournalFiles journal = new(int.MaxValue);
            verdicts.UnionWith(new RandomCalls(seed, journal).Run(60).Select(o => o.Verdict.ToString()));
            calls.UnionWith(JournalFiles.Lines(Assert.Single(journal.Close()))[1..].Select(l => l[9..l.IndexOf('"', 9)]));
        }

        Assert.Equal(["add_override", "announced", "cycle", "end", "lost", "release_override", "set_mode", "take_over", "withdraw_all"], calls.Order(StringComparer.Ordinal));
        Assert.Superset(
            new HashSet<string>
            {
                "NoOverload", "Holding", "Relieved", "PartiallyRelieved", "Released", "FrozenCaptureLoss", "FrozenCaptureStale", "FrozenRibIncomplete", "GivingBack",
                "WithdrawnRouteFeedLost", "WithdrawnByOperator", "WithdrawnModeChange",
            },
            verdicts);
    }

    [Fact]
    public void Recording_changes_no_outcome()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            using JournalFiles journal = new(7);
            Assert.Equal(
                new RandomCalls(seed, null).Run(40).Select(o => Encoding.UTF8.GetString(DecisionJson.Write(o with { Snapshot = null }))),
                new RandomCalls(seed, journal).Run(40).Select(o => Encoding.UTF8.GetString(DecisionJson.Write(o with { Snapshot = null }))));
        }
    }

    [Fact]
    public void Replay_one_changed_octet_of_an_answer_is_found_where_it_is()
    {
        string[] lines = JournalFiles.Lines(Sample(turns: 40));
        Random random = new(1);
        for (int i = 0; i < 200; i++)
        {
            int line = random.Next(1, lines.Length - 1);
            int start = lines[line].IndexOf("\"returned\":", StringComparison.Ordinal) + 11;
            char[] text = lines[line].ToCharArray();

            // Inside of numbers and strings, so that the line stays JSON.
            int at;
            do
            {
                at = random.Next(start, text.Length);
            }
            while (!char.IsAsciiLetterLower(text[at]) && !char.IsBetween(text[at], '1', '9'));

            text[at] = text[at] switch
            {
                'z' or '9' => (char)(text[at] - 1),
                _ => (char)(text[at] + 1),
            };
            JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfLines([.. lines[..line], new string(text), .. lines[(line + 1)..]]));
            if (result.Fault is not null)
            {
                // A literal (true, false, null) that is none any more.
                Assert.Equal((JournalFaultKind.BadLine, (long)line + 1), (result.Fault.Kind, result.Fault.Line));
                continue;
            }

            Assert.Equal(1, result.Differences);
            JournalDifference difference = result.First[0];
            Assert.Equal(line + 1, difference.Line);
            Assert.NotEqual(difference.Expected, difference.Got);
            Assert.NotEqual("", difference.What);
        }
    }

    [Fact]
    public void Replay_difference_tells_cycle_place_and_values()
    {
        string[] lines = JournalFiles.Lines(OneMove());
        Assert.Contains("\"to\":\"b\"", lines[1], StringComparison.Ordinal);
        int at = lines[1].IndexOf("\"to\":\"b\"", StringComparison.Ordinal);
        lines[1] = lines[1][..at] + "\"to\":\"c\"" + lines[1][(at + 8)..];
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfLines(lines));
        Assert.Equal((2L, 1L, 1L, 1L), (result.Cycles, result.Reports, result.Moves, result.Differences));
        Assert.Equal("cycle 1 (line 2, cycle): outcome.plan.moves[0].to: expected \"c\", got \"b\"", Assert.Single(result.First).ToString());
    }

    [Fact]
    public void Replay_changed_input_decides_differently_and_says_so_once_for_each_call()
    {
        string[] lines = JournalFiles.Lines(OneMove());
        lines[1] = lines[1].Replace("[\"10.0.1.0/24\",100000000,0]", "[\"10.0.1.0/24\",1000000,0]", StringComparison.Ordinal);
        JournalReplayResult result = JournalFiles.Replay(JournalFiles.OfLines(lines));
        Assert.Equal(3, result.Differences);
        Assert.Contains(result.First, d => d is { Call: "cycle", Cycle: 1, What: "outcome.verdict", Expected: "\"relieved\"", Got: "\"no_overload\"" });
        Assert.Contains(result.First, d => d is { Call: "announced", What: "known", Expected: "true", Got: "false" });
        Assert.True(result.First.Count <= JournalReplayer.MaxShown);
    }

    [Fact]
    public void Replay_same_values_written_in_another_way_are_a_difference()
    {
        string[] lines = JournalFiles.Lines(OneMove());
        lines[2] = lines[2].Replace("{\"known\":true}", "{ \"known\":true}", StringComparison.Ordinal);
        Assert.Equal("", Assert.Single(JournalFiles.Replay(JournalFiles.OfLines(lines)).First).What);
    }

    [Fact]
    public void CompareStates_file_that_begins_elsewhere_than_the_one_before_ended_is_told()
    {
        using JournalFiles journal = new(callsPerFile: 10);
        new RandomCalls(3, journal).Run(30);
        IReadOnlyList<byte[]> files = journal.Close();
        string[] lines = JournalFiles.Lines(files[1]);
        string id = $"\"id\":{JournalFiles.Replay(files[0]).EndState!.Id}";
        Assert.Contains(id, lines[0], StringComparison.Ordinal);
        lines[0] = lines[0].Replace(id, "\"id\":12345", StringComparison.Ordinal);
        JournalReplayResult first = JournalFiles.Replay(files[0], JournalFiles.Name(0));
        JournalReplayResult second = JournalFiles.Replay(JournalFiles.OfLines(lines), JournalFiles.Name(1));
        Assert.Equal("id", JournalReplayer.CompareStates(first, second)!.What);

        // Not one after the other, or not whole: nothing can be said.
        Assert.Null(JournalReplayer.CompareStates(first with { File = "other" }, second));
        Assert.Null(JournalReplayer.CompareStates(first with { IsComplete = false }, second));
    }

    [Fact]
    public void Replay_withdrawal_that_is_still_to_be_told_when_a_file_begins()
    {
        using JournalFiles journal = new(callsPerFile: 1);
        RecordingController controller = new(new DecisionController(new(), DecisionMode.Inject), journal);
        controller.Cycle(Input(0) with { Links = [Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c") with { Up = false }], Prefixes = [Lab.Demand(1, 100, "a", "b", "c")] });
        controller.Announced(Lab.Prefix(1), ok: true, Lab.Start);
        controller.Cycle(Input(1) with { Links = [Lab.Link("a", 1000, 900), Lab.Link("b"), Lab.Link("c")], Prefixes = [Lab.Demand(1, 100, "a", "c")] });

        // The redirect to c fails, and the router may still have the route by b.
        controller.Announced(Lab.Prefix(1), ok: false, Lab.Start.AddSeconds(5));
        Assert.Single(controller.SetMode(DecisionMode.Inject, Lab.Start.AddSeconds(6)).Withdraw);
        IReadOnlyList<byte[]> files = journal.Close();
        Assert.Equal(5, files.Count);
        Assert.All(files, f => Assert.Equal((0L, null), (JournalFiles.Replay(f).Differences, JournalFiles.Replay(f).Fault)));
        Assert.Single(JournalFiles.Replay(files[4]).Header!.State.Pending);
    }

    [Fact]
    public void Record_call_that_throws_is_kept_and_throws_again()
    {
        using JournalFiles journal = new(100);
        RecordingController controller = new(new DecisionController(new()), journal);
        controller.Cycle(Input(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => controller.AddOverride(Lab.Prefix(1), "b", ["a", "b"], DateTimeOffset.MaxValue));
        byte[] file = Assert.Single(journal.Close());
        Assert.Contains("\"returned\":{\"threw\":\"System.ArgumentOutOfRangeException\"}", JournalFiles.Lines(file)[2], StringComparison.Ordinal);
        Assert.Equal((0L, 1L), (JournalFiles.Replay(file).Differences, JournalFiles.Replay(file).Commands));
    }

    [Fact]
    public void Record_list_of_paths_is_written_once_a_file()
    {
        using JournalFiles journal = new(2);
        RecordingController controller = new(new DecisionController(new()), journal);
        for (int i = 0; i < 4; i++)
        {
            controller.Cycle(Input(i));
        }

        IReadOnlyList<byte[]> files = journal.Close();
        Assert.Equal(2, files.Count);
        Assert.All(files, f =>
        {
            Assert.Contains("\"paths\":[[\"a\",\"b\"]],\"prefixes\":[[\"10.0.1.0/24\",", JournalFiles.Lines(f)[1], StringComparison.Ordinal);
            Assert.DoesNotContain("\"paths\"", JournalFiles.Lines(f)[2], StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Replay_thousands_of_prefixes_stay_small()
    {
        using JournalFiles journal = new(1000);
        RecordingController controller = new(new DecisionController(new()), journal);
        Random random = new(1);
        for (int i = 0; i < 5; i++)
        {
            controller.Cycle(new CycleInput
            {
                Now = Lab.Start.AddSeconds(5 * i),
                Links = [Lab.Link("isp-a", 100_000), Lab.Link("isp-b", 100_000), Lab.Link("isp-c", 100_000)],
                Prefixes = [.. Enumerable.Range(0, 10_000).Select(p => new PrefixDemand(Lab.Prefix(p), random.NextInt64(1_000, 10_000_000), Orders[random.Next(6)]))],
            });
        }

        byte[] file = Assert.Single(journal.Close());
        Assert.Equal((5L, 0L), (JournalFiles.Replay(file).Cycles, JournalFiles.Replay(file).Differences));

        // Less than ten octets for a prefix, its rate and its paths; the rates alone, which are uniform here, are worth three.
        Assert.True(file.Length < 5 * 10_000 * 10, string.Create(CultureInfo.InvariantCulture, $"{file.Length} octets"));
    }

    private static readonly string[][] Orders =
    [
        ["isp-a", "isp-b", "isp-c"], ["isp-a", "isp-c", "isp-b"], ["isp-b", "isp-a", "isp-c"], ["isp-b", "isp-c"], ["isp-c", "isp-a"], ["isp-c"],
    ];

    private static byte[] Sample(int turns)
    {
        using JournalFiles journal = new(int.MaxValue);
        new RandomCalls(5, journal).Run(turns);
        return Assert.Single(journal.Close());
    }

    private static CycleInput Input(int cycle) => new()
    {
        Now = Lab.Start.AddSeconds(5 * cycle),
        Links = [Lab.Link("a", 1000, 900), Lab.Link("b")],
        Prefixes = [Lab.Demand(1, 100, "a", "b")],
    };

    /// <summary>Header, a cycle that moves a prefix, the report of its announcement, a cycle that keeps it, end.</summary>
    private static byte[] OneMove()
    {
        using JournalFiles journal = new(100);
        RecordingController controller = new(new DecisionController(new(), DecisionMode.Inject), journal);
        controller.Cycle(Input(0));
        controller.Announced(Lab.Prefix(1), ok: true, Lab.Start);
        controller.Cycle(Input(1) with { ObservedLinks = new Dictionary<IpPrefix, string> { [Lab.Prefix(1)] = "b" } });
        return Assert.Single(journal.Close());
    }

    private static long CallsNamed(byte[] file, string name) =>
        JournalFiles.Lines(file).Count(l => l.StartsWith($"{{\"call\":\"{name}\"", StringComparison.Ordinal));
}
