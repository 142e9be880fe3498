using System.Text.Json;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: an MRT file, made as for <see cref="MrtTarget"/>.</summary>
public sealed class MrtRecordsTarget : IFuzzTarget
{
    private readonly MrtTarget _files = new();
    private readonly FuzzRandom _random = new(0);

    public string Name => "mrt-records";

    public string Description => "an MRT file record by record: each one valid JSON, counters that add up, and the tables that the reader of tables finds";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator) => _files.Make(input, mutator);

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        byte[] file = input.ToArray();
        _random.Seed(Digest.Of(input));
        List<(IpPrefix Prefix, int Paths)> tables = [];
        string verdict = Read(new MemoryStream(file), tables, out ulong digest);
        string again = Read(new SlowStream(file, _random), null, out ulong slow);
        Check.That(verdict == again && digest == slow, $"read in pieces it is {again} instead of {verdict}");
        if (verdict != NotSupported)
        {
            List<(IpPrefix Prefix, int Paths)> expected = [.. new MrtReader(new MemoryStream(file)).Read().Select(e => (e.Prefix, e.Paths.Count))];
            Check.That(tables.SequenceEqual(expected), $"the tables are {string.Join(' ', tables)}; the reader of tables finds {string.Join(' ', expected)}");
        }

        return new(verdict, digest);
    }

    private const string NotSupported = "not supported";

    private static string Read(Stream stream, List<(IpPrefix Prefix, int Paths)>? tables, out ulong hash)
    {
        hash = 0;
        MrtRecordReader reader;
        try
        {
            reader = new MrtRecordReader(stream);
        }
        catch (NotSupportedException)
        {
            return NotSupported;
        }

        Digest digest = default;
        long records = 0;
        long others = 0;
        long malformed = 0;
        foreach (MrtRecord record in reader.Read())
        {
            records++;
            others += record is MrtOther ? 1 : 0;
            malformed += record is MrtMalformed or MrtRib { CutOff: true } ? 1 : 0;
            Check.That(record is not MrtMalformed { Problem.Length: 0 }, $"a malformed record without a word about it");
            if (record is MrtRib rib)
            {
                CheckTable(rib, tables);
            }

            string text = MrtJson.ToJson(record);
            using var json = JsonDocument.Parse(text);
            Check.That(json.RootElement.ValueKind == JsonValueKind.Object, $"not an object: {text}");
            digest.Add(text);
        }

        Check.That(
            reader.Records == records && reader.Skipped == others && reader.Malformed >= malformed && reader.Malformed <= records,
            $"{records} records, {others} of other kinds, {malformed} malformed; counted are {reader.Records}, {reader.Skipped}, {reader.Malformed}");
        digest.Add(reader.Malformed);
        digest.Add(reader.Truncated);
        digest.Add(reader.Lost);
        hash = digest.Value;
        return reader.Truncated ? "truncated" : reader.Lost ? "lost" : reader.Malformed > 0 ? "malformed" : records > others ? Verdicts.Accepted : "nothing";
    }

    private static void CheckTable(MrtRib rib, List<(IpPrefix Prefix, int Paths)>? tables)
    {
        RouteChecks.Sound(rib.Prefix, rib.Prefix.Family, "record");
        int good = 0;
        foreach (MrtRibPath path in rib.Paths)
        {
            Check.That(path.Attributes is not null || path.Error is not null, $"{rib.Prefix}: no attributes and no error");
            if (path.Attributes is { } attributes)
            {
                RouteChecks.Sound(attributes, external: false);
            }

            good += path is { Attributes: not null, Peer: not null } ? 1 : 0;
        }

        if (rib.Type == MrtType.TableDumpV2 && good > 0)
        {
            tables?.Add((rib.Prefix, good));
        }
    }
}
