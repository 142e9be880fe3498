using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Journal;

/// <summary>One line after the header: a call and, octet for octet, what it returned; or the end.</summary>
/// <param name="Call">The call; null on the last line.</param>
/// <param name="Returned">JSON of the answer.</param>
/// <param name="Calls">On the last line: how many calls there were.</param>
internal readonly record struct JournalLine(JournalCall? Call, byte[] Returned, long Calls);

/// <summary>
/// Reads the lines of one file. Nothing in them is trusted: whatever is not as <see cref="JournalEncoder"/> writes it becomes a <see cref="JournalException"/>.
/// </summary>
internal sealed class JournalDecoder
{
    public const string End = "end";
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32, AllowDuplicateProperties = false };
    private readonly List<string[]> _paths = [];
    private readonly List<PrefixPolicy> _policies = [];

    public static JournalHeader ReadHeader(ReadOnlyMemory<byte> line) => Guarded(line, root =>
    {
        // The version first: of another format nothing else is known.
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("journal", out JsonElement version) || version.ValueKind != JsonValueKind.Number)
        {
            throw Bad("this is no journal: its first line has no version");
        }

        if (!version.TryGetInt32(out int number) || number != JournalHeader.CurrentVersion)
        {
            throw new JournalException(
                JournalFaultKind.UnknownVersion, $"the journal has format {version.GetRawText()}; this program reads format {JournalHeader.CurrentVersion}");
        }

        Known(root, "journal", "program", "written", "follows", "options", "state");
        ControllerState state = JournalMembers.Read(Member(root, "state"), JournalJsonContext.Default.ControllerState, new());
        NoNulls(state.Links, "state.links");
        NoNulls(state.Problems, "state.problems");
        NoNulls(state.Overrides, "state.overrides");
        NoNulls(state.Quarantined, "state.quarantined");
        NoNulls(state.Pending, "state.pending");
        return new JournalHeader
        {
            Journal = number,
            Program = Text(root, "program"),
            Written = Member(root, "written").GetDateTimeOffset(),
            Follows = root.TryGetProperty("follows", out _) ? Text(root, "follows") : null,
            Options = JournalMembers.Read(Options(root), JournalJsonContext.Default.ControllerOptions, new()),
            State = state,
        };
    });

    public JournalLine Read(ReadOnlyMemory<byte> line) => Guarded(line, root =>
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Bad("the line is no object");
        }

        string call = Text(root, "call");
        if (call == End)
        {
            Known(root, "call", "calls");
            return new JournalLine(null, [], Member(root, "calls").GetInt64());
        }

        JournalCall read = ReadCall(root, call);
        JsonElement returned = Member(root, "returned");
        return new JournalLine(read, JsonMarshal.GetRawUtf8Value(returned).ToArray(), 0);
    });

    private JournalCall ReadCall(JsonElement root, string call)
    {
        switch (call)
        {
            case "cycle":
                Known(root, "call", "now", "time_of_day", "links", "paths", "policies", "prefixes", "health", "unseen", "observed", "returned");
                return new CycleCall(ReadCycle(root));
            case "set_mode":
                Known(root, "call", "mode", "now", "returned");
                return new SetModeCall(Member(root, "mode").Deserialize(JournalJsonContext.Default.DecisionMode), Now(root));
            case "withdraw_all":
                Known(root, "call", "now", "returned");
                return new WithdrawAllCall(Now(root));
            case "take_over":
                Known(root, "call", "now", "returned");
                return new TakeOverCall(Now(root));
            case "add_override":
                Known(root, "call", "prefix", "link", "paths", "now", "rate_bps", "returned");
                return new AddOverrideCall(Prefix(Member(root, "prefix")), Text(root, "link"), Paths(Member(root, "paths")), Now(root), Member(root, "rate_bps").GetInt64());
            case "release_override":
                Known(root, "call", "prefix", "now", "returned");
                return new ReleaseOverrideCall(Prefix(Member(root, "prefix")), Now(root));
            case "announced":
                Known(root, "call", "prefix", "ok", "now", "returned");
                return new AnnouncedCall(Prefix(Member(root, "prefix")), Member(root, "ok").GetBoolean(), Now(root));
            case "lost":
                Known(root, "call", "prefix", "returned");
                return new LostCall(Prefix(Member(root, "prefix")));
            default:
                throw new JournalException(JournalFaultKind.UnknownMember, $"the call '{Shown(call)}' is not known");
        }
    }

    private CycleInput ReadCycle(JsonElement root)
    {
        if (root.TryGetProperty("paths", out JsonElement fresh))
        {
            if (_paths.Count + fresh.GetArrayLength() > JournalFileWriter.MaxPathLists)
            {
                throw Bad($"more than {JournalFileWriter.MaxPathLists} lists of paths");
            }

            foreach (JsonElement paths in fresh.EnumerateArray())
            {
                _paths.Add(Paths(paths));
            }
        }

        ReadPolicies(root);
        List<LinkState> links = [];
        foreach (JsonElement link in Member(root, "links").EnumerateArray())
        {
            links.Add(JournalMembers.Read(link, JournalJsonContext.Default.LinkState, new() { Name = "", CapacityBps = 0 }));
        }

        JsonElement prefixes = Member(root, "prefixes");
        List<PrefixDemand> demands = new(prefixes.GetArrayLength());
        foreach (JsonElement demand in prefixes.EnumerateArray())
        {
            demands.Add(Demand(demand));
        }

        Dictionary<IpPrefix, string> observed = Observed(root, demands);
        return new CycleInput
        {
            Now = Now(root),
            TimeOfDay = root.TryGetProperty("time_of_day", out JsonElement time) ? time.GetDateTimeOffset() : null,
            Links = links,
            Prefixes = demands,
            Health = JournalMembers.Read(Member(root, "health"), JournalJsonContext.Default.InputHealth, new()),
            ObservedLinks = observed,
        };
    }

    private static Dictionary<IpPrefix, string> Observed(JsonElement root, List<PrefixDemand> demands)
    {
        Dictionary<IpPrefix, string> observed = [];
        if (root.TryGetProperty("unseen", out JsonElement unseen))
        {
            HashSet<int> none = [];
            foreach (JsonElement number in unseen.EnumerateArray())
            {
                if (!number.TryGetInt32(out int index) || index < 0 || index >= demands.Count)
                {
                    throw Bad($"there is no prefix {Shown(number.GetRawText())}; there are {demands.Count}");
                }

                none.Add(index);
            }

            for (int i = 0; i < demands.Count; i++)
            {
                if (demands[i].Paths.Count > 0 && !none.Contains(i))
                {
                    observed[demands[i].Prefix] = demands[i].Paths[0];
                }
            }
        }

        if (root.TryGetProperty("observed", out JsonElement seen))
        {
            Dictionary<IpPrefix, string> others = seen.Deserialize(JournalJsonContext.Default.DictionaryIpPrefixString) ?? throw Bad("'observed' is null");
            NoNulls(others.Values, "observed");
            foreach ((IpPrefix prefix, string link) in others)
            {
                observed[prefix] = link;
            }
        }

        return observed;
    }

    private PrefixDemand Demand(JsonElement demand)
    {
        int count = demand.GetArrayLength();
        if (count is < 3 or > 6)
        {
            throw Bad($"a prefix has {count} values where 3 to 6 are expected");
        }

        if (!demand[2].TryGetInt32(out int paths) || paths < 0 || paths >= _paths.Count)
        {
            throw Bad($"there is no list of paths {Shown(demand[2].GetRawText())}; there are {_paths.Count}");
        }

        double? error = count > 3 && demand[3].ValueKind != JsonValueKind.Null ? Ratio(demand[3]) : null;
        return new PrefixDemand(Prefix(demand[0]), demand[1].GetInt64(), _paths[paths], error, count > 5 ? demand[5].GetInt64() : 0)
        {
            Policy = count < 5 || demand[4].ValueKind == JsonValueKind.Null ? null
                : demand[4].TryGetInt32(out int policy) && policy >= 0 && policy < _policies.Count ? _policies[policy]
                : throw Bad($"there is no policy {Shown(demand[4].GetRawText())}; there are {_policies.Count}"),
        };
    }

    private void ReadPolicies(JsonElement root)
    {
        if (!root.TryGetProperty("policies", out JsonElement fresh))
        {
            return;
        }

        if (_policies.Count + fresh.GetArrayLength() > JournalFileWriter.MaxPathLists)
        {
            throw Bad($"more than {JournalFileWriter.MaxPathLists} policies");
        }

        foreach (JsonElement given in fresh.EnumerateArray())
        {
            PrefixPolicy policy = JournalMembers.Read(given, JournalJsonContext.Default.PrefixPolicy, new() { Action = PolicyAction.Deny });
            NoNulls(policy.Links, "policies");
            _policies.Add(policy);
        }
    }

    /// <summary>
    /// The options. Earlier versions had in them which prefixes are never moved; a file without any says the same without that member, and one with some is refused for it.
    /// </summary>
    private static JsonElement Options(JsonElement root)
    {
        JsonElement options = Member(root, "options");
        if (options.ValueKind != JsonValueKind.Object || !options.TryGetProperty("planner", out JsonElement planner) || planner.ValueKind != JsonValueKind.Object
            || !planner.TryGetProperty("denied", out JsonElement denied) || denied.ValueKind != JsonValueKind.Array || denied.GetArrayLength() > 0)
        {
            return options;
        }

        JsonObject copy = JsonObject.Create(options)!;
        copy["planner"]!.AsObject().Remove("denied");
        using JsonDocument document = JsonDocument.Parse(copy.ToJsonString());
        return document.RootElement.Clone();
    }

    private static double Ratio(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : value.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => throw Bad("a relative error is not a number"),
        };

    private static string[] Paths(JsonElement paths)
    {
        string[] links = paths.Deserialize(JournalJsonContext.Default.StringArray) ?? throw Bad("a list of paths is null");
        NoNulls(links, "paths");
        return links;
    }

    /// <summary>A prefix; "-" stands for none, as it does wherever prefixes are shown.</summary>
    private static IpPrefix Prefix(JsonElement value)
    {
        string text = value.GetString() ?? throw Bad("a prefix is null");
        return text == "-" ? default
            : IpPrefix.TryParse(text, out IpPrefix prefix) ? prefix
            : throw Bad($"'{Shown(text)}' is not a prefix (address/length, host bits zero)");
    }

    private static DateTimeOffset Now(JsonElement root) => Member(root, "now").GetDateTimeOffset();

    private static string Text(JsonElement root, string name) => Member(root, name).GetString() ?? throw Bad($"'{name}' is null");

    private static JsonElement Member(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) ? value : throw Bad($"'{name}' is missing");

    private static void Known(JsonElement root, params ReadOnlySpan<string> names)
    {
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!names.Contains(property.Name))
            {
                throw new JournalException(JournalFaultKind.UnknownMember, $"'{Shown(property.Name)}' is not known");
            }
        }
    }

    private static void NoNulls<T>(IEnumerable<T> values, string name)
    {
        if (values.Any(v => v is null))
        {
            throw Bad($"'{name}' holds a null");
        }
    }

    /// <summary>What a file says may be of any length.</summary>
    private static string Shown(string text) => text.Length <= 64 ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, 64)}…");

    private static JournalException Bad(string message) => new(JournalFaultKind.BadLine, message);

    /// <summary>Parses a line and reads from it; what the JSON library has to say of a value of the wrong kind becomes a fault.</summary>
    private static T Guarded<T>(ReadOnlyMemory<byte> line, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Strict);
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            // The library has no type of its own for a member that is unknown.
            bool unknown = e.Message.Contains("could not be mapped", StringComparison.Ordinal);
            throw new JournalException(unknown ? JournalFaultKind.UnknownMember : JournalFaultKind.BadLine, Shown(e), e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or ArgumentException)
        {
            // A value of another kind than was asked for; a number or a time out of range; text that is not UTF-8.
            throw new JournalException(JournalFaultKind.BadLine, Shown(e), e);
        }
    }

    private static string Shown(Exception e) => e.Message.Length <= 300 ? e.Message : e.Message[..300] + "…";
}
