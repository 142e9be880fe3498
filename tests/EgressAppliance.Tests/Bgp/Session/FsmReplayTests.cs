using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>Recorded events played through the state machine, against what RFC 4271 section 8.2.2 makes of each; see tests/data/bgp/replay/README.md.</summary>
public sealed class FsmReplayTests
{
    private static readonly JsonSerializerOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Cases() => [.. Names()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Step_follows_the_expected_lines(string name)
    {
        string[] lines = [.. Play(name).Select(step => step.Line)];
        string file = TestData.Path("bgp", "replay", name, "expected.jsonl");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(file, string.Join('\n', lines) + '\n');
        }

        Assert.Equal(File.ReadAllLines(file), lines);
    }

    [Fact]
    public void Every_event_is_played_in_every_state()
    {
        var played = Names().SelectMany(Play).Select(step => (step.Before, step.Kind)).ToHashSet();
        string[] missing = [.. from state in Enum.GetValues<SessionState>()
                               from kind in Enum.GetValues<FsmEventKind>()
                               where !played.Contains((state, kind))
                               select $"{state} {kind}"];

        Assert.Empty(missing);
    }

    private static IEnumerable<string> Names() => Directory.GetDirectories(TestData.Path("bgp", "replay")).Select(d => Path.GetFileName(d)!).Order();

    private static IEnumerable<(SessionState Before, FsmEventKind Kind, string Line)> Play(string name)
    {
        JsonElement[] lines = [.. File.ReadLines(TestData.Path("bgp", "replay", name, "events.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];
        var config = new FsmConfig(
            lines[0].GetProperty("passive").GetBoolean(), lines[0].GetProperty("hold_time").GetUInt16(), TimeSpan.FromSeconds(lines[0].GetProperty("connect_retry").GetInt32()));
        FsmState state = Fsm.Initial;
        foreach (JsonElement line in lines.Skip(1))
        {
            FsmEvent e = Event(line);
            FsmTransition step = Fsm.Step(config, state, e);
            SessionState before = state.State;
            state = step.Next;
            yield return (before, e.Kind, Describe(step));
        }
    }

    private static FsmEvent Event(JsonElement line) => new(Enum.Parse<FsmEventKind>(line.GetProperty("event").GetString()!), Text(line, "text") ?? "")
    {
        HoldTime = line.TryGetProperty("hold_time", out JsonElement hold) ? hold.GetUInt16() : (ushort)0,
        Message = Text(line, "message") is { } message ? Notification(message) : null,
    };

    private static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static NotificationMessage Notification(string text)
    {
        string[] parts = text.Split('/', ' ');
        return new(Number(parts[0]), Number(parts[1]), parts.Length > 2 ? Convert.FromHexString(parts[2]) : default(ReadOnlyMemory<byte>));
    }

    private static byte Number(string text) => byte.Parse(text, CultureInfo.InvariantCulture);

    private static string Describe(FsmTransition step) => JsonSerializer.Serialize(
        new
        {
            state = step.Next.State.ToString(),
            actions = Enum.GetValues<FsmActions>().Where(a => a != FsmActions.None && step.Actions.HasFlag(a)).Select(a => a.ToString()),
            notification = step.Notification is { } sent
                ? $"{sent.Code}/{sent.Subcode}" + (sent.Data.IsEmpty ? "" : " " + Convert.ToHexStringLower(sent.Data.Span))
                : null,
            delay_seconds = step.Delay.TotalSeconds,
            hold_time = step.Next.HoldTime,
            attempts = step.Next.Attempts,
            keepalives = step.Next.Keepalives,
            reason = step.Reason,
        },
        Format);
}
