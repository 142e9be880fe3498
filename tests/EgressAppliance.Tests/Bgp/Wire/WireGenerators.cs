using System.Collections.Immutable;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Wire;

/// <summary>Makes arbitrary but valid messages from a seed: FsCheck chooses the seed, so that a failure is one number.</summary>
internal sealed class WireGenerators(int seed)
{
    private readonly Random _random = new(seed);

    public BgpCodecOptions Options() => new()
    {
        FourOctetAs = _random.Next(2) == 0,
        AddPathIPv4 = _random.Next(2) == 0,
        AddPathIPv6 = _random.Next(2) == 0,
    };

    public IpPrefix Prefix(IpFamily family)
    {
        int length = _random.Next(family == IpFamily.IPv4 ? 33 : 129);
        return IpPrefix.Create(Address(family), length);
    }

    public IpAddr Address(IpFamily family) => family == IpFamily.IPv4
        ? IpAddr.FromIPv4(((uint)_random.Next(1, 127) << 24) | (uint)_random.Next(1 << 24))
        : IpAddr.FromIPv6(0x2001_0000_0000_0000 | (ulong)_random.NextInt64(1L << 48), (ulong)_random.NextInt64());

    public List<Nlri> Nlri(IpFamily family, bool addPath, int max)
    {
        var list = new List<Nlri>();
        for (int i = _random.Next(max + 1); i > 0; i--)
        {
            list.Add(new(Prefix(family), addPath ? (uint)_random.Next() : 0));
        }

        return list;
    }

    public PathAttributes Attributes(IpFamily family, bool fourOctet = true)
    {
        var segments = new List<AsSegment>();
        for (int i = _random.Next(3); i > 0; i--)
        {
            segments.Add(new((AsSegmentType)_random.Next(1, 3), Some(4, () => fourOctet ? (uint)_random.Next(1, int.MaxValue) : (uint)_random.Next(1, 65536), min: 1)));
        }

        return new PathAttributes
        {
            Origin = (Origin)_random.Next(3),
            AtomicAggregate = _random.Next(2) == 0,
            NextHop = family == IpFamily.IPv4 || _random.Next(2) == 0
                ? new(Address(family))
                : new(Address(family), IpAddr.FromIPv6(0xFE80UL << 48, (ulong)_random.NextInt64())),
            Med = _random.Next(2) == 0 ? null : (uint)_random.Next(),
            LocalPref = _random.Next(2) == 0 ? null : (uint)_random.Next(),
            AsPath = AsPath.FromSegments(segments),
            Aggregator = _random.Next(2) == 0 ? null : new((uint)_random.Next(1, fourOctet ? int.MaxValue : 65536), Address(IpFamily.IPv4)),
            Communities = [.. Some(5, () => (uint)_random.Next())],
            ExtendedCommunities = [.. Some(3, () => (ulong)_random.NextInt64())],
            LargeCommunities = [.. Some(3, () => new LargeCommunity((uint)_random.Next(), (uint)_random.Next(), (uint)_random.Next()))],
            OriginatorId = _random.Next(2) == 0 ? null : (uint)_random.Next(),
            ClusterList = [.. Some(3, () => (uint)_random.Next())],
            Unknown = [.. Some(2, () => new RawAttribute(0xE0, (byte)_random.Next(200, 203), [.. Bytes(_random.Next(300))])).DistinctBy(a => a.Type)],
        };
    }

    public byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    public OpenMessage Open()
    {
        var capabilities = new List<BgpCapability>();
        for (int i = _random.Next(6); i > 0; i--)
        {
            capabilities.Add(_random.Next(5) switch
            {
                0 => BgpCapability.Multiprotocol(AfiSafi.IPv6Unicast),
                1 => BgpCapability.RouteRefresh,
                2 => BgpCapability.FourOctetAs((uint)_random.Next(1, int.MaxValue)),
                3 => BgpCapability.AddPath(new AddPathEntry(AfiSafi.IPv4Unicast, AddPathMode.Send), new AddPathEntry(AfiSafi.IPv6Unicast, AddPathMode.Both)),
                _ => new BgpCapability((byte)_random.Next(100, 200), Bytes(_random.Next(200))),
            });
        }

        return new() { MyAs = (ushort)_random.Next(1, 65536), HoldTime = (ushort)_random.Next(3, 65536), RouterId = (uint)_random.Next(1, int.MaxValue), Capabilities = capabilities };
    }

    /// <summary>A run of messages of every type, as they would stand in a stream.</summary>
    public byte[] Stream(int messages, BgpCodecOptions options, List<byte[]> parts)
    {
        for (int i = 0; i < messages; i++)
        {
            var writer = new BgpWriter(new byte[4096]);
            switch (_random.Next(5))
            {
                case 0:
                    KeepaliveMessage.Encode(ref writer);
                    break;
                case 1:
                    Open().Encode(ref writer);
                    break;
                case 2:
                    new NotificationMessage((byte)_random.Next(256), (byte)_random.Next(256), Bytes(_random.Next(64))).Encode(ref writer);
                    break;
                case 3:
                    new RouteRefreshMessage(AfiSafi.IPv6Unicast).Encode(ref writer);
                    break;
                default:
                    var update = new UpdateMessage { Attributes = Attributes(IpFamily.IPv4, options.FourOctetAs) };
                    update.Withdrawn.AddRange(Nlri(IpFamily.IPv4, options.AddPathIPv4, 20));
                    update.Announced.AddRange(Nlri(IpFamily.IPv4, options.AddPathIPv4, 20));
                    UpdateEncoder.Encode(ref writer, update, options);
                    break;
            }

            Assert.False(writer.Overflowed);
            parts.Add(writer.Written.ToArray());
        }

        return [.. parts.SelectMany(p => p)];
    }

    public byte[] Mutate(byte[] message)
    {
        byte[] changed = (byte[])message.Clone();
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            int at = _random.Next(changed.Length);
            changed[at] = _random.Next(3) switch { 0 => (byte)_random.Next(256), 1 => 0xFF, _ => (byte)(changed[at] ^ (1 << _random.Next(8))) };
        }

        return _random.Next(3) == 0 ? changed[.._random.Next(changed.Length)] : changed;
    }

    private List<T> Some<T>(int max, Func<T> make, int min = 0)
    {
        var list = new List<T>();
        for (int i = _random.Next(min, max + 1); i > 0; i--)
        {
            list.Add(make());
        }

        return list;
    }
}
