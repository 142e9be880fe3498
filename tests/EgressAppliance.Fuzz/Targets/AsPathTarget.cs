using EgressAppliance.Bgp.Rib;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: an octet whose lowest bit says how wide the numbers are, the length of the first value (2 octets), an AS_PATH value and an AS4_PATH value.</summary>
public sealed class AsPathTarget : IFuzzTarget
{
    public string Name => "as-path";

    public string Description => "AS_PATH values: as a second reader finds them, all views of a path consistent, and merges with AS4_PATH by RFC 6793 section 4.2.3";

    public int Weight => 4;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        byte width = random.Octet();
        byte[] path = AttributeMaker.AsPath(random, (width & 1) != 0 ? 4 : 2);
        input.Append(width);
        input.AppendUInt16(path.Length);
        input.Append(path);
        input.Append(AttributeMaker.AsPath(random, 4));
        if (random.OneIn(3))
        {
            mutator.Octets(input, 3);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        bool fourOctet = input.Length > 0 && (input[0] & 1) != 0;
        ReadOnlySpan<byte> values = input.Length > 3 ? input[3..] : [];
        int length = input.Length > 3 ? Math.Min((input[1] << 8) | input[2], values.Length) : 0;
        AsPath? path = Read(values[..length], fourOctet);
        AsPath? as4 = Read(values[length..], fourOctet: true);
        Digest digest = default;
        digest.Add(path is null ? "malformed" : path.ToString());
        digest.Add(as4 is null ? "malformed" : as4.ToString());
        if (path is not null && as4 is not null && !as4.HasConfedSegment)
        {
            digest.Add(Merge(path, as4).ToString());
        }

        return new(path is null ? "malformed" : path.HasConfedSegment ? "confederation" : Verdicts.Accepted, digest.Value);
    }

    private static AsPath? Read(ReadOnlySpan<byte> value, bool fourOctet)
    {
        bool good = AsPath.TryDecode(value, fourOctet, out AsPath path);
        List<AsSegment>? expected = AsPathChecks.Read(value, fourOctet);
        Check.That(good == expected is not null, $"TryDecode returned {good}");
        if (!good)
        {
            return null;
        }

        Check.That(AsPathChecks.Same(expected!, path.Segments), $"read as {path}");
        AsPathChecks.Consistent(path);
        return path;
    }

    private static AsPath Merge(AsPath path, AsPath as4)
    {
        AsPath merged = AsPath.Merge(path, as4);
        AsPathChecks.Consistent(merged);
        if (as4.IsEmpty || as4.Length > path.Length)
        {
            Check.That(merged.Equals(path), $"AS4_PATH {as4} is to be ignored for {path}, which became {merged}");
            return merged;
        }

        // The merged path is as long as AS_PATH says, and ends in all of AS4_PATH. Where the cut goes through an AS_SET, nothing of the set can stay and it counted 1.
        Check.That(merged.Length == path.Length, $"{path} with {as4} became {merged}: length {merged.Length} instead of {path.Length}");
        List<uint> tail = Flat(as4);
        Check.That(Flat(merged).TakeLast(tail.Count).SequenceEqual(tail), $"{path} with {as4} became {merged}, which does not end in the AS4_PATH");
        return merged;
    }

    private static List<uint> Flat(AsPath path) => [.. path.Segments.SelectMany(s => s.Numbers)];
}
