using System.Text.Json;

namespace EgressAppliance.Host.History.Store;

/// <summary>The names of the kinds of events, and of groups of them, as the API and the command line know them.</summary>
public static class EventKinds
{
    private static readonly Dictionary<string, EventKind[]> Groups = new(StringComparer.Ordinal)
    {
        ["decisions"] = [EventKind.Mode, EventKind.Verdict, EventKind.Plan],
        ["overrides"] = [EventKind.Announced, EventKind.Withdrawn, EventKind.Lost, EventKind.Refused],
        ["bgp"] = [EventKind.SessionUp, EventKind.SessionDown, EventKind.TableComplete],
        ["capture"] = [EventKind.LossBegan, EventKind.LossEnded],
        ["interfaces"] = [EventKind.LinkDown, EventKind.LinkUp, EventKind.SnmpLost, EventKind.SnmpBack],
        ["appliance"] = [EventKind.Started, EventKind.Stopped, EventKind.History],
    };

    private static readonly Dictionary<EventKind, string> Names =
        Enum.GetValues<EventKind>().ToDictionary(k => k, k => JsonNamingPolicy.SnakeCaseLower.ConvertName(k.ToString()));

    /// <summary>All names that may be asked for.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Groups.Keys, .. Names.Values];

    /// <summary>The name of a kind, snake_case; of one that a newer version wrote, its number.</summary>
    public static string Name(EventKind kind) => Names.TryGetValue(kind, out string? name) ? name : kind.ToString("D");

    /// <summary>The kinds of a list of names and groups, separated by commas.</summary>
    /// <param name="text">The list; empty or null for all.</param>
    /// <param name="kinds">The kinds; empty for all.</param>
    /// <param name="unknown">The name that is none, or null.</param>
    public static bool TryParse(string? text, out IReadOnlyList<EventKind> kinds, out string? unknown)
    {
        List<EventKind> list = [];
        unknown = null;
        foreach (string name in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Groups.TryGetValue(name, out EventKind[]? group))
            {
                list.AddRange(group);
            }
            else if (Names.FirstOrDefault(n => n.Value == name) is { Value: not null } found)
            {
                list.Add(found.Key);
            }
            else
            {
                unknown ??= name;
            }
        }

        kinds = list;
        return unknown is null;
    }
}
