using System.Buffers.Binary;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>
/// Input: an options octet, then path attributes. They are put into an UPDATE with one prefix and into one with none. Attributes of simple
/// form are read a second time here, in the plainest way, and compared.
/// </summary>
public sealed class AttributesTarget : IFuzzTarget
{
    private static readonly byte[] Prefix = [24, 203, 0, 113];
    private static readonly byte[] PrefixWithPathId = [0, 0, 0, 1, 24, 203, 0, 113];
    private readonly LooseUpdate _loose = new();
    private readonly LooseUpdate _donor = new();
    private readonly UpdateMessage _message = new();
    private readonly UpdateMessage _scratch = new();

    public string Name => "attributes";

    public string Description => "path attributes with and without a prefix behind them: values as a second reader finds them, and errors by the rules of RFC 7606";

    public int Weight => 8;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        CorpusMessage message = random.Pick(mutator.Corpus.Updates);
        input.Append((byte)(message.Options | (random.OneIn(2) ? 8 : 0)));
        _loose.Parse(message.Body);
        _donor.Parse(random.Pick(mutator.Corpus.Updates).Body);
        if (random.OneIn(3))
        {
            // All of our own making, the mandatory ones first.
            _loose.ParseAttributes([0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 192, 0, 2, 1]);
        }

        for (int i = random.Between(1, 2); i > 0; i--)
        {
            _loose.Mutate(random, _donor);
        }

        _loose.WriteAttributes(input, random);
        if (random.OneIn(8))
        {
            mutator.Octets(input, 1, most: 2);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        BgpCodecOptions options = CodecOctet.Options(input.IsEmpty ? (byte)0 : input[0]);
        ReadOnlySpan<byte> attributes = input.IsEmpty ? input : input[1..];
        byte[] body = new byte[4 + attributes.Length + PrefixWithPathId.Length];
        int length = Math.Min(attributes.Length, ushort.MaxValue);
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(2), (ushort)length);
        attributes[..length].CopyTo(body.AsSpan(4));
        byte[] nlri = options.AddPathIPv4 ? PrefixWithPathId : Prefix;
        nlri.CopyTo(body.AsSpan(4 + length));

        ErrorAction bare = UpdateDecoder.Decode(body.AsSpan(0, 4 + length), options, _scratch);
        UpdateChecks.Sound(_scratch, bare, options);
        ErrorAction action = UpdateDecoder.Decode(body.AsSpan(0, 4 + length + nlri.Length), options, _message);
        UpdateChecks.Sound(_message, action, options);
        Check.That(
            action == ErrorAction.SessionReset || (_message.Announced.Count == 1 && _message.Announced[0].Prefix.ToString() == "203.0.113.0/24"),
            $"the prefix behind the attributes is {string.Join(' ', _message.Announced)}");
        if (action != ErrorAction.SessionReset)
        {
            RouteReader.Compare(body.AsSpan(0, 4 + length + nlri.Length), options, _message);
        }

        // A prefix behind them asks for three attributes more; nothing else about the attributes may depend on it.
        Check.That(bare == ErrorAction.SessionReset || action >= bare, $"{bare} without a prefix, {action} with one");
        if (action < ErrorAction.TreatAsWithdraw)
        {
            CheckValues(attributes, options, _message.Attributes!);
        }

        ulong digest = UpdateChecks.All(_message);
        string verdict = Verdicts.Of(_message);
        UpdateChecks.RoundTrip(_message, options, _scratch);
        return new(verdict, digest);
    }

    /// <summary>
    /// The first attribute of a type counts (RFC 7606 section 3 g). Where the message was accepted, one of simple form with the right length must be there with its value.
    /// </summary>
    private static void CheckValues(ReadOnlySpan<byte> attributes, in BgpCodecOptions options, PathAttributes decoded)
    {
        Span<bool> seen = stackalloc bool[256];
        while (attributes.Length >= 3)
        {
            bool wide = (attributes[0] & 0x10) != 0;
            byte type = attributes[1];
            int header = wide ? 4 : 3;
            int length = wide ? BinaryPrimitives.ReadUInt16BigEndian(attributes[2..]) : attributes[2];
            ReadOnlySpan<byte> value = attributes.Slice(header, length);
            if (!seen[type])
            {
                seen[type] = true;
                CheckValue((AttributeType)type, value, options, decoded);
            }

            attributes = attributes[(header + length)..];
        }

        Check.That(seen[(byte)AttributeType.Med] == decoded.Med.HasValue, $"MED is {decoded.Med}");
        Check.That(
            seen[(byte)AttributeType.Communities] == decoded.Communities.Length > 0, $"COMMUNITIES are {string.Join(' ', decoded.Communities)}");
        Check.That(
            seen[(byte)AttributeType.LargeCommunities] == decoded.LargeCommunities.Length > 0, $"LARGE_COMMUNITY is {string.Join(' ', decoded.LargeCommunities)}");
        Check.That(options.External || seen[(byte)AttributeType.LocalPref] == decoded.LocalPref.HasValue, $"LOCAL_PREF is {decoded.LocalPref}");
    }

    private static void CheckValue(AttributeType type, ReadOnlySpan<byte> value, in BgpCodecOptions options, PathAttributes decoded)
    {
        switch (type)
        {
            case AttributeType.Origin:
                Check.That(value.Length == 1 && (byte)decoded.Origin == value[0], $"ORIGIN is {decoded.Origin}");
                break;
            case AttributeType.AsPath when options.FourOctetAs:
                List<AsSegment>? segments = AsPathChecks.Read(value, fourOctet: true);
                Check.That(segments is not null && AsPathChecks.Same(segments, decoded.AsPath.Segments), $"AS_PATH is {decoded.AsPath}");
                break;
            case AttributeType.NextHop:
                Check.That(
                    value.Length == 4 && decoded.NextHop.Address.IPv4Value == BinaryPrimitives.ReadUInt32BigEndian(value), $"NEXT_HOP is {decoded.NextHop}");
                break;
            case AttributeType.Med:
                Check.That(value.Length == 4 && decoded.Med == BinaryPrimitives.ReadUInt32BigEndian(value), $"MED is {decoded.Med}");
                break;
            case AttributeType.LocalPref when !options.External:
                Check.That(value.Length == 4 && decoded.LocalPref == BinaryPrimitives.ReadUInt32BigEndian(value), $"LOCAL_PREF is {decoded.LocalPref}");
                break;
            case AttributeType.AtomicAggregate:
                Check.That(decoded.AtomicAggregate == value.IsEmpty, $"ATOMIC_AGGREGATE is {decoded.AtomicAggregate}");
                break;
            case AttributeType.OriginatorId when !options.External:
                Check.That(value.Length == 4 && decoded.OriginatorId == BinaryPrimitives.ReadUInt32BigEndian(value), $"ORIGINATOR_ID is {decoded.OriginatorId}");
                break;
            case AttributeType.Communities:
                CheckNumbers(value, decoded.Communities.AsSpan(), "COMMUNITIES");
                break;
            case AttributeType.ClusterList when !options.External:
                CheckNumbers(value, decoded.ClusterList.AsSpan(), "CLUSTER_LIST");
                break;
            case AttributeType.ExtendedCommunities:
                Check.That(decoded.ExtendedCommunities.Length * 8 == value.Length, $"{decoded.ExtendedCommunities.Length} EXTENDED COMMUNITIES");
                break;
            case AttributeType.LargeCommunities:
                Check.That(
                    decoded.LargeCommunities.Length * 12 == value.Length
                        && decoded.LargeCommunities[^1].Local2 == BinaryPrimitives.ReadUInt32BigEndian(value[^4..]),
                    $"LARGE_COMMUNITY is {string.Join(' ', decoded.LargeCommunities)}");
                break;
        }
    }

    private static void CheckNumbers(ReadOnlySpan<byte> value, ReadOnlySpan<uint> decoded, string name)
    {
        bool same = value.Length == decoded.Length * 4;
        for (int i = 0; same && i < decoded.Length; i++)
        {
            same = BinaryPrimitives.ReadUInt32BigEndian(value[(i * 4)..]) == decoded[i];
        }

        Check.That(same, $"{name} of {value.Length} octets became {string.Join(' ', decoded.ToArray())}");
    }
}
