using System.Buffers.Binary;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: an MRT file.</summary>
public sealed class MrtTarget : IFuzzTarget
{
    private const int HeaderLength = 12;
    private readonly List<(int Start, int Length)> _records = [];
    private readonly FuzzRandom _random = new(0);

    public string Name => "mrt";

    public string Description => "an MRT file: every record read, counted as malformed or passed over; the same however the stream delivers it";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        if (mutator.Corpus.Dumps.Count == 0)
        {
            mutator.Octets(input, 0);
            return;
        }

        byte[] dump = random.Pick(mutator.Corpus.Dumps);
        Split(dump);
        // The table of peers stands first and stays, as a rule: without it no path can be read.
        Append(0, keep: true);
        for (int i = random.Between(1, 12); i > 0; i--)
        {
            Append(random.Below(_records.Count), keep: !random.OneIn(3));
        }

        if (random.OneIn(2))
        {
            mutator.Octets(input, 0);
        }

        void Append(int record, bool keep)
        {
            (int start, int length) = _records[record];
            int at = input.Length;
            input.Append(dump.AsSpan(start, length));
            if (!keep && input.Length == at + length)
            {
                Change(input.Span[at..], random);
            }
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        byte[] file = input.ToArray();
        _random.Seed(Digest.Of(input));
        string verdict = Read(new MemoryStream(file), out ulong digest);
        string again = Read(new SlowStream(file, _random), out ulong slow);
        Check.That(verdict == again && digest == slow, $"read in pieces it is {again} instead of {verdict}");
        return new(verdict, digest);
    }

    private static string Read(Stream stream, out ulong hash)
    {
        Digest digest = default;
        MrtReader reader;
        try
        {
            reader = new MrtReader(stream);
        }
        catch (NotSupportedException)
        {
            hash = 0;
            return "not supported";
        }

        long entries = 0;
        foreach (MrtEntry entry in reader.Read())
        {
            entries++;
            RouteChecks.Sound(entry.Prefix, entry.Prefix.Family, "entry");
            Check.That(entry.Paths.Count > 0, $"{entry.Prefix} without a path");
            RouteChecks.Add(ref digest, entry.Prefix);
            foreach (MrtPath path in entry.Paths)
            {
                RouteChecks.Sound(path.Attributes, external: false);
                RouteChecks.Add(ref digest, path.PeerAddress);
                digest.Add(((ulong)path.PeerAs << 32) | path.PathId);
                RouteChecks.Add(ref digest, path.Attributes);
            }
        }

        Check.That(reader.Skipped >= 0 && reader.Malformed >= 0, $"{reader.Skipped} passed over, {reader.Malformed} malformed");
        digest.Add(reader.Skipped);
        digest.Add(reader.Malformed);
        digest.Add(reader.Truncated);
        hash = digest.Value;
        return reader.Truncated ? "truncated" : reader.Malformed > 0 ? "malformed" : entries > 0 ? Verdicts.Accepted : "nothing";
    }

    private void Split(byte[] dump)
    {
        _records.Clear();
        for (int at = 0; at + HeaderLength <= dump.Length;)
        {
            int length = (int)Math.Min(dump.Length - at, HeaderLength + (long)BinaryPrimitives.ReadUInt32BigEndian(dump.AsSpan(at + 8)));
            _records.Add((at, length));
            at += length;
        }
    }

    private static void Change(Span<byte> record, FuzzRandom random)
    {
        switch (random.Below(6))
        {
            case 0:
                record[5] = (byte)random.Between(11, 17);
                break;
            case 1:
                record[7] = (byte)random.Below(12);
                break;
            case 2:
                record[11] += (byte)random.Between(-3, 3);
                break;
            default:
                if (record.Length > HeaderLength)
                {
                    record[HeaderLength + random.Below(record.Length - HeaderLength)] ^= (byte)(1 << random.Below(8));
                }

                break;
        }
    }
}
