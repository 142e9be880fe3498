using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using EgressAppliance.Flow;
using EgressAppliance.Net;
using EgressAppliance.Tests.Capture;
using Xunit.Abstractions;

namespace EgressAppliance.Tests.Flow;

/// <summary>Datagrams of real exporters against what tshark reads in them, in the repository's sample and in the shared corpus.</summary>
public sealed class FlowCorpusTests(ITestOutputHelper output)
{
    private static readonly IpAddr Exporter = IpAddr.Parse("192.0.2.1", CultureInfo.InvariantCulture);

    [Fact]
    public void Sample_equals_tshark() => Assert.True(Compare(TestData.Path("flow")) >= 10);

    [Fact]
    public void Shared_corpus_equals_tshark()
    {
        if (TestData.Shared is null)
        {
            output.WriteLine(CaptureCorpus.Absent);
            return;
        }

        Assert.True(Compare(Path.Combine(TestData.Shared, "flow")) > 500);
    }

    /// <summary>Datagrams of a folder, by group, in order.</summary>
    internal static List<(string Id, string Group, byte[] Bytes)> Load(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, "datagrams.tsv")).Skip(1).Select(l => l.Split('\t')).Select(c => (c[0], c[1], Convert.FromHexString(c[4])))];

    private int Compare(string folder)
    {
        Dictionary<string, JsonElement> truth = Truth(folder);
        var differing = new List<string>();
        int compared = 0;
        foreach (var group in Load(folder).GroupBy(d => d.Group))
        {
            var decoder = new FlowDecoder();
            foreach ((string id, _, byte[] bytes) in group)
            {
                List<FlowRecord> records = [];
                FlowStatus status = decoder.Decode(Exporter, bytes, 0, records);
                if (status is not (FlowStatus.Decoded or FlowStatus.NoDestination))
                {
                    output.WriteLine($"{id} {group.Key}: {status}");
                    // tshark goes on where a length contradicts itself, so only what is read without a refusal can be compared.
                    if (status is not FlowStatus.TemplateUnknown)
                    {
                        continue;
                    }
                }

                compared++;
                List<string> expected = [];
                Collect(truth[id], expected);
                List<string> actual = [.. records.Select(Text)];
                if (Malformed(truth[id]))
                {
                    // Where tshark gave up, what it had read until then must stand at the beginning.
                    actual = [.. actual.Take(expected.Count)];
                }

                if (!expected.SequenceEqual(actual))
                {
                    int at = Enumerable.Range(0, Math.Max(expected.Count, actual.Count)).First(i => expected.ElementAtOrDefault(i) != actual.ElementAtOrDefault(i));
                    differing.Add($"{id} {group.Key}: {expected.Count} against {actual.Count}, at {at} {expected.ElementAtOrDefault(at)} against {actual.ElementAtOrDefault(at)}");
                }
            }
        }

        Assert.True(differing.Count == 0, string.Join('\n', differing.Take(25)) + $"\n{differing.Count} of {compared}");
        return compared;
    }

    private static Dictionary<string, JsonElement> Truth(string folder)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "decoded.jsonl.gz")), CompressionMode.Decompress));
        Dictionary<string, JsonElement> truth = [];
        while (reader.ReadLine() is { } line)
        {
            JsonElement root = JsonDocument.Parse(line).RootElement;
            truth.Add(root.GetProperty("id").GetString()!, root.GetProperty("tshark"));
        }

        return truth;
    }

    private static string Text(FlowRecord r) => r.Protocol == FlowProtocol.SFlow5
        ? $"{r.Destination} rate {r.SamplingInterval} in {r.InputInterface} out {r.OutputInterface}"
        : $"{r.Destination} from {r.Source} in {r.InputInterface} out {r.OutputInterface} bytes {r.Bytes} packets {r.Packets}";

    private static void Collect(JsonElement element, List<string> flows)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
            {
                Collect(item, flows);
            }
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (Find(element, "sflow.flow_sample.sampling_rate") is { } rate)
        {
            string? destination = Deep(element, "ip.dst") ?? Deep(element, "ipv6.dst");
            if (destination is not null)
            {
                flows.Add($"{Address(destination)} rate {rate} in {Port(Find(element, "sflow.flow_sample.input_interface"))} out {Port(Deep(element, "sflow.flow_sample.output_interface_value"))}");
            }

            return;
        }

        string? v4 = Find(element, "cflow.dstaddr");
        string? v6 = Find(element, "cflow.dstaddrv6");
        string? to = v4 is null or "0.0.0.0" ? v6 is null or "::" ? v4 ?? v6 : v6 : v4;
        if (to is not null)
        {
            string from = Find(element, to.Contains(':') ? "cflow.srcaddrv6" : "cflow.srcaddr") is { } s ? Address(s) : "-";
            flows.Add($"{Address(to)} from {from} in {Find(element, "cflow.inputint") ?? "0"} out {Find(element, "cflow.outputint") ?? "0"} "
                + $"bytes {Find(element, "cflow.octets") ?? Find(element, "cflow.post_octets") ?? "0"} packets {Find(element, "cflow.packets") ?? Find(element, "cflow.post_packets") ?? "0"}");
            return;
        }

        foreach (JsonProperty property in element.EnumerateObject())
        {
            Collect(property.Value, flows);
        }
    }

    private static string Port(string? value) => value is null or "1073741823" ? "0" : value;

    private static string Address(string text) => IpAddr.Parse(text, CultureInfo.InvariantCulture).ToString();

    private static string? Find(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.ValueKind == JsonValueKind.Array ? value[0].GetString() : value.GetString() : null;

    private static bool Malformed(JsonElement element) => element.GetRawText().Contains("\"_ws.malformed\"", StringComparison.Ordinal);

    private static string? Deep(JsonElement element, string name) => element.ValueKind switch
    {
        JsonValueKind.Object => Find(element, name) ?? element.EnumerateObject().Select(p => Deep(p.Value, name)).FirstOrDefault(v => v is not null),
        JsonValueKind.Array => element.EnumerateArray().Select(p => Deep(p, name)).FirstOrDefault(v => v is not null),
        _ => null,
    };
}
