using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Mutation;

/// <summary>Makes path attributes: of the right length and flags more often than not, so that several of them make a message that is accepted.</summary>
public static class AttributeMaker
{
    private static readonly byte[] Types =
    [
        (byte)AttributeType.Origin, (byte)AttributeType.AsPath, (byte)AttributeType.NextHop, (byte)AttributeType.Med, (byte)AttributeType.LocalPref,
        (byte)AttributeType.AtomicAggregate, (byte)AttributeType.Aggregator, (byte)AttributeType.Communities, (byte)AttributeType.OriginatorId,
        (byte)AttributeType.ClusterList, (byte)AttributeType.MpReachNlri, (byte)AttributeType.MpUnreachNlri, (byte)AttributeType.ExtendedCommunities,
        (byte)AttributeType.As4Path, (byte)AttributeType.As4Aggregator, (byte)AttributeType.IPv6ExtendedCommunities, (byte)AttributeType.Aigp,
        (byte)AttributeType.LargeCommunities, (byte)AttributeType.OnlyToCustomer, 22, 29, 40, 128, 129, 255,
    ];

    /// <summary>First octets at the edges of what is a host's address.</summary>
    private static readonly byte[] OddFirstOctets = [0, 1, 126, 127, 128, 223, 224, 239, 240, 255];

    /// <summary>A type code, known ones as a rule.</summary>
    public static byte AnyType(FuzzRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.OneIn(8) ? random.Octet() : random.Pick(Types);
    }

    /// <summary>An attribute.</summary>
    public static (byte Flags, byte Type, byte[] Value) Make(FuzzRandom random)
    {
        byte type = AnyType(random);
        byte flags = random.OneIn(8) ? random.Octet() : FlagsOf(type);
        return (flags, type, random.OneIn(8) ? Chance(random, random.Below(40)) : Value(random, (AttributeType)type));
    }

    /// <summary>An AS_PATH with numbers of 2 or 4 octets, well-formed as a rule.</summary>
    public static byte[] AsPath(FuzzRandom random, int size)
    {
        ArgumentNullException.ThrowIfNull(random);
        var path = new List<byte>();
        for (int segments = random.Below(4); segments > 0; segments--)
        {
            int count = random.OneIn(32) ? random.Below(256) : random.Between(random.OneIn(32) ? 0 : 1, 5);
            path.Add((byte)(random.OneIn(64) ? random.Octet() : random.OneIn(4) ? random.Between(1, 4) : 2));
            path.Add((byte)count);
            for (int i = 0; i < count; i++)
            {
                uint number = random.Below(8) switch
                {
                    0 => BgpConstants.AsTrans,
                    1 => 4_200_000_000u + (uint)random.Below(10),
                    2 when random.OneIn(64) => 0,
                    _ => 64496u + (uint)random.Below(16),
                };
                if (size == 4)
                {
                    path.Add((byte)(number >> 24));
                    path.Add((byte)(number >> 16));
                }

                path.Add((byte)(number >> 8));
                path.Add((byte)number);
            }
        }

        return [.. path];
    }

    private static byte FlagsOf(byte type) => (AttributeType)type switch
    {
        AttributeType.Origin or AttributeType.AsPath or AttributeType.NextHop or AttributeType.LocalPref or AttributeType.AtomicAggregate => 0x40,
        AttributeType.Med or AttributeType.OriginatorId or AttributeType.ClusterList or AttributeType.MpReachNlri or AttributeType.MpUnreachNlri
            or AttributeType.Aigp => 0x80,
        _ => 0xC0,
    };

    private static byte[] Value(FuzzRandom random, AttributeType type) => type switch
    {
        AttributeType.Origin => [(byte)random.Below(3)],
        AttributeType.AsPath => AsPath(random, random.OneIn(2) ? 4 : 2),
        AttributeType.As4Path => AsPath(random, 4),
        AttributeType.NextHop => random.OneIn(3) ? [random.Pick(OddFirstOctets), 0, 0, (byte)random.Below(2)] : [192, 0, 2, (byte)random.Below(8)],
        AttributeType.Med or AttributeType.LocalPref or AttributeType.OriginatorId or AttributeType.OnlyToCustomer => Chance(random, 4),
        AttributeType.AtomicAggregate => [],
        AttributeType.Aggregator => random.OneIn(2) ? [0, 0, 0xFD, 0xE9, 192, 0, 2, 9] : [(byte)(random.OneIn(2) ? 0x5B : 0xFD), 0xA0, 192, 0, 2, 9],
        AttributeType.As4Aggregator => [0xFA, 0x56, 0xEA, (byte)random.Below(4), 192, 0, 2, 9],
        AttributeType.Communities or AttributeType.ClusterList => Chance(random, 4 * random.Between(1, 5)),
        AttributeType.ExtendedCommunities => Chance(random, 8 * random.Between(1, 4)),
        AttributeType.LargeCommunities => Chance(random, 12 * random.Between(1, 3)),
        AttributeType.IPv6ExtendedCommunities => Chance(random, 20 * random.Between(1, 2)),
        AttributeType.Aigp => [1, 0, 11, .. Chance(random, 8)],
        AttributeType.MpReachNlri => MpReach(random),
        AttributeType.MpUnreachNlri => MpUnreach(random),
        _ => Chance(random, random.OneIn(16) ? random.Below(600) : random.Below(20)),
    };

    private static byte[] MpReach(FuzzRandom random)
    {
        bool ipv6 = !random.OneIn(4);
        byte[] global = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)random.Below(3)];
        byte[] linkLocal = [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)random.Below(3)];
        byte[] nextHop = random.Below(10) switch
        {
            0 => [.. global, .. linkLocal],
            1 => [.. new byte[16], .. linkLocal],
            2 => [192, 0, 2, 1],
            3 => [random.OneIn(2) ? (byte)0xFF : (byte)0, .. new byte[14], (byte)random.Below(3)],
            _ => ipv6 ? global : random.OneIn(2) ? global : [192, 0, 2, 1],
        };
        return [0, (byte)(ipv6 ? 2 : 1), (byte)(random.OneIn(16) ? random.Octet() : 1), (byte)nextHop.Length, .. nextHop, 0, .. Prefixes(random, ipv6)];
    }

    private static byte[] MpUnreach(FuzzRandom random)
    {
        bool ipv6 = !random.OneIn(4);
        return [0, (byte)(ipv6 ? 2 : 1), (byte)(random.OneIn(16) ? random.Octet() : 1), .. Prefixes(random, ipv6)];
    }

    private static byte[] Prefixes(FuzzRandom random, bool ipv6)
    {
        var octets = new List<byte>();
        bool addPath = random.OneIn(3);
        for (int i = random.Below(5); i > 0; i--)
        {
            if (addPath)
            {
                octets.AddRange([0, 0, 0, (byte)random.Below(3)]);
            }

            int length = random.OneIn(4) ? random.Below(ipv6 ? 130 : 34) : ipv6 ? 32 : 16;
            octets.Add((byte)length);
            octets.AddRange(Chance(random, (length + 7) / 8));
        }

        return [.. octets];
    }

    private static byte[] Chance(FuzzRandom random, int length)
    {
        byte[] octets = new byte[length];
        random.Fill(octets);
        return octets;
    }
}
