using System.Buffers;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Decision.Control;
using EgressAppliance.Decision.Policies;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Journal;

/// <summary>
/// Writes the lines of one file. A list of paths is written where it first occurs and from then on goes by its number, since thousands of prefixes share a
/// few lists; a prefix of a cycle is <c>[prefix, bit/s, number of its paths]</c>, followed, as far as they are known, by the relative error, the number of its policy and the mean, with null
/// for what is not known before what is. Policies go by numbers in the same way as paths.
/// </summary>
internal sealed class JournalEncoder
{
    private readonly Dictionary<IReadOnlyList<string>, int> _paths = new(ListComparer.Instance);
    private readonly List<IReadOnlyList<string>> _fresh = [];
    private readonly Dictionary<PrefixPolicy, int> _policies = new(PolicyComparer.Instance);
    private readonly List<PrefixPolicy> _freshPolicies = [];
    private readonly Dictionary<IpPrefix, string> _texts = [];

    /// <summary>Most prefixes whose text is kept; they come again every cycle.</summary>
    private const int MaxTexts = 50_000;

    /// <summary>Different lists of paths, or policies if these are more, so far.</summary>
    public int PathLists => Math.Max(_paths.Count, _policies.Count);

    public static void WriteHeader(IBufferWriter<byte> output, JournalHeader header)
    {
        using Utf8JsonWriter json = new(output);
        json.WriteStartObject();
        json.WriteNumber("journal", header.Journal);
        json.WriteString("program", header.Program);
        json.WriteString("written", header.Written);
        if (header.Follows is not null)
        {
            json.WriteString("follows", header.Follows);
        }

        json.WritePropertyName("options");
        JsonSerializer.Serialize(json, header.Options, JournalJsonContext.Default.ControllerOptions);
        json.WritePropertyName("state");
        JsonSerializer.Serialize(json, header.State, JournalJsonContext.Default.ControllerState);
        json.WriteEndObject();
    }

    /// <summary>The last line of a file that was closed in order.</summary>
    public static void WriteEnd(IBufferWriter<byte> output, long calls)
    {
        using Utf8JsonWriter json = new(output);
        json.WriteStartObject();
        json.WriteString("call", JournalDecoder.End);
        json.WriteNumber("calls", calls);
        json.WriteEndObject();
    }

    /// <summary>The answer in the one way that is written and compared.</summary>
    public static byte[] Encode(JournalReturn returned) =>
        JsonSerializer.SerializeToUtf8Bytes(returned.Comparable(), JournalJsonContext.Default.JournalReturn);

    public void WriteCall(IBufferWriter<byte> output, JournalCall call, JournalReturn returned)
    {
        using Utf8JsonWriter json = new(output);
        json.WriteStartObject();
        json.WriteString("call", call.Name);
        switch (call)
        {
            case CycleCall cycle:
                WriteCycle(json, cycle.Input);
                break;
            case SetModeCall mode:
                json.WritePropertyName("mode");
                JsonSerializer.Serialize(json, mode.Mode, JournalJsonContext.Default.DecisionMode);
                json.WriteString("now", mode.Now);
                break;
            case WithdrawAllCall withdraw:
                json.WriteString("now", withdraw.Now);
                break;
            case TakeOverCall taken:
                json.WriteString("now", taken.Now);
                break;
            case AddOverrideCall add:
                json.WriteString("prefix", add.Prefix.ToString());
                json.WriteString("link", add.Link);
                json.WritePropertyName("paths");
                WritePaths(json, add.Paths);
                json.WriteString("now", add.Now);
                json.WriteNumber("rate_bps", add.RateBps);
                break;
            case ReleaseOverrideCall release:
                json.WriteString("prefix", release.Prefix.ToString());
                json.WriteString("now", release.Now);
                break;
            case AnnouncedCall announced:
                json.WriteString("prefix", announced.Prefix.ToString());
                json.WriteBoolean("ok", announced.Ok);
                json.WriteString("now", announced.Now);
                break;
            case LostCall lost:
                json.WriteString("prefix", lost.Prefix.ToString());
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(call), call.Name, "Not a call of a journal.");
        }

        json.WritePropertyName("returned");
        JsonSerializer.Serialize(json, returned.Comparable(), JournalJsonContext.Default.JournalReturn);
        json.WriteEndObject();
    }

    private static void WritePaths(Utf8JsonWriter json, IReadOnlyList<string> paths)
    {
        json.WriteStartArray();
        foreach (string link in paths)
        {
            json.WriteStringValue(link);
        }

        json.WriteEndArray();
    }

    private void WriteCycle(Utf8JsonWriter json, CycleInput input)
    {
        json.WriteString("now", input.Now);
        if (input.TimeOfDay is { } timeOfDay)
        {
            json.WriteString("time_of_day", timeOfDay);
        }

        json.WritePropertyName("links");
        JsonSerializer.Serialize(json, input.Links, JournalJsonContext.Default.IReadOnlyListLinkState);
        WriteFreshPaths(json, input.Prefixes);
        WriteFreshPolicies(json, input.Prefixes);
        json.WriteStartArray("prefixes");
        foreach (PrefixDemand demand in input.Prefixes)
        {
            json.WriteStartArray();
            json.WriteStringValue(Text(demand.Prefix));
            json.WriteNumberValue(demand.RateBps);
            json.WriteNumberValue(_paths[demand.Paths]);
            if (demand.ErrorRatio is { } error)
            {
                WriteRatio(json, error);
            }
            else if (demand.Policy is not null || demand.MeanBps != 0)
            {
                json.WriteNullValue();
            }

            if (demand.Policy is { } policy)
            {
                json.WriteNumberValue(_policies[policy]);
            }
            else if (demand.MeanBps != 0)
            {
                json.WriteNullValue();
            }

            if (demand.MeanBps != 0)
            {
                json.WriteNumberValue(demand.MeanBps);
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WritePropertyName("health");
        JsonSerializer.Serialize(json, input.Health, JournalJsonContext.Default.InputHealth);
        WriteObserved(json, input);
    }

    /// <summary>
    /// Nearly every prefix is seen on its first path, so that goes without saying: "unseen" lists the numbers of the prefixes that were not seen at all, "observed"
    /// what was seen on any other link.
    /// </summary>
    private static void WriteObserved(Utf8JsonWriter json, CycleInput input)
    {
        if (input.ObservedLinks.Count == 0)
        {
            return;
        }

        Dictionary<IpPrefix, string> others = new(input.ObservedLinks);
        HashSet<IpPrefix> contradicted = [];
        json.WriteStartArray("unseen");
        for (int i = 0; i < input.Prefixes.Count; i++)
        {
            PrefixDemand demand = input.Prefixes[i];
            if (demand.Paths.Count == 0)
            {
                continue;
            }

            if (!input.ObservedLinks.TryGetValue(demand.Prefix, out string? seen))
            {
                json.WriteNumberValue(i);
            }
            else if (seen == demand.Paths[0] && !contradicted.Contains(demand.Prefix))
            {
                others.Remove(demand.Prefix);
            }
            else if (seen != demand.Paths[0])
            {
                // A prefix that is listed twice, which a snapshot must not do, is written out.
                contradicted.Add(demand.Prefix);
                others[demand.Prefix] = seen;
            }
        }

        json.WriteEndArray();
        if (others.Count > 0)
        {
            json.WritePropertyName("observed");
            JsonSerializer.Serialize(json, others, JournalJsonContext.Default.DictionaryIpPrefixString);
        }
    }

    private void WriteFreshPaths(Utf8JsonWriter json, IReadOnlyList<PrefixDemand> prefixes)
    {
        foreach (PrefixDemand demand in prefixes)
        {
            if (!_paths.ContainsKey(demand.Paths))
            {
                string[] copy = [.. demand.Paths];
                _paths.Add(copy, _paths.Count);
                _fresh.Add(copy);
            }
        }

        if (_fresh.Count == 0)
        {
            return;
        }

        json.WriteStartArray("paths");
        foreach (IReadOnlyList<string> paths in _fresh)
        {
            WritePaths(json, paths);
        }

        json.WriteEndArray();
        _fresh.Clear();
    }

    private void WriteFreshPolicies(Utf8JsonWriter json, IReadOnlyList<PrefixDemand> prefixes)
    {
        foreach (PrefixDemand demand in prefixes)
        {
            if (demand.Policy is { } policy && _policies.TryAdd(policy, _policies.Count))
            {
                _freshPolicies.Add(policy);
            }
        }

        if (_freshPolicies.Count == 0)
        {
            return;
        }

        json.WriteStartArray("policies");
        foreach (PrefixPolicy policy in _freshPolicies)
        {
            JsonSerializer.Serialize(json, policy, JournalJsonContext.Default.PrefixPolicy);
        }

        json.WriteEndArray();
        _freshPolicies.Clear();
    }

    private string Text(IpPrefix prefix)
    {
        if (_texts.TryGetValue(prefix, out string? text))
        {
            return text;
        }

        text = prefix.ToString();
        if (_texts.Count < MaxTexts)
        {
            _texts.Add(prefix, text);
        }

        return text;
    }

    private static void WriteRatio(Utf8JsonWriter json, double ratio)
    {
        if (double.IsFinite(ratio))
        {
            json.WriteNumberValue(ratio);
        }
        else
        {
            json.WriteStringValue(ratio.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>By what they say; records compare their lists by identity.</summary>
    private sealed class PolicyComparer : IEqualityComparer<PrefixPolicy>
    {
        public static readonly PolicyComparer Instance = new();

        public bool Equals(PrefixPolicy? x, PrefixPolicy? y) => ReferenceEquals(x, y) || (x is not null && y is not null
            && x.Number == y.Number && x.Action == y.Action && x.Class == y.Class && ListComparer.Instance.Equals(x.Links, y.Links));

        public int GetHashCode(PrefixPolicy obj) => HashCode.Combine(obj.Number, obj.Action, obj.Class, ListComparer.Instance.GetHashCode(obj.Links));
    }

    private sealed class ListComparer : IEqualityComparer<IReadOnlyList<string>>
    {
        public static readonly ListComparer Instance = new();

        public bool Equals(IReadOnlyList<string>? x, IReadOnlyList<string>? y) =>
            ReferenceEquals(x, y) || (x is not null && y is not null && x.SequenceEqual(y, StringComparer.Ordinal));

        public int GetHashCode(IReadOnlyList<string> obj)
        {
            HashCode hash = default;
            foreach (string link in obj)
            {
                hash.Add(link, StringComparer.Ordinal);
            }

            return hash.ToHashCode();
        }
    }
}
