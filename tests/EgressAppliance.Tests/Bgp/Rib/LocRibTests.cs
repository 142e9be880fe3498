using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Bmp;

namespace EgressAppliance.Tests.Bgp.Rib;

public sealed class LocRibTests : IDisposable
{
    private static readonly BgpCodecOptions Plain = new() { FourOctetAs = true };
    private readonly PrefixTable _prefixes = new();
    private readonly RibTable _table;
    private readonly LocRib _locRib;

    public LocRibTests()
    {
        _table = new RibTable(1, _prefixes);
        var load = new TableLoad(TimeProvider.System, TimeSpan.FromSeconds(3));
        load.Start(null);
        BmpPeer peer = new(new BmpRouterOptions { Name = "edge1", Address = System.Net.IPAddress.Loopback }, BmpMaker.LocRib().Id, 65000, 1, 65000, null);
        _locRib = new LocRib(_table, new BmpSource(0, peer, BmpTable.LocRib), 0, load);
    }

    public void Dispose() => _prefixes.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Holds_what_a_plain_map_holds_and_lets_all_of_it_go(int seed)
    {
        var random = new Random(seed);
        string[] prefixes =
        [
            .. Enumerable.Range(0, 40).Select(i => $"20.{i % 10}.{(i / 10) * 64}.0/{(i % 2 == 0 ? 24 : 18)}"), "0.0.0.0/0", "20.0.0.1/32",
            .. Enumerable.Range(0, 20).Select(i => $"2a00:{i:x}::/32"), "::/0", "2a00::1/128", "2a00:0:0:1::/64",
        ];
        var oracle = new Dictionary<IpPrefix, string>();
        for (int i = 0; i < 2000; i++)
        {
            string[] some = [.. prefixes.Where(_ => random.Next(12) == 0).Where(p => p.Contains(':', StringComparison.Ordinal) == (i % 2 == 0))];
            if (some.Length == 0)
            {
                continue;
            }

            if (random.Next(3) == 0)
            {
                Apply(Withdrawal(some));
                Array.ForEach(some, p => oracle.Remove(IpPrefix.Parse(p)));
            }
            else
            {
                string path = $"{64501 + random.Next(5)} 64999";
                Apply(BmpMaker.Announcement(path, some));
                Array.ForEach(some, p => oracle[IpPrefix.Parse(p)] = path);
            }
        }

        Assert.All(prefixes.Select(p => IpPrefix.Parse(p)), p => Assert.Equal(oracle.GetValueOrDefault(p), _locRib.Find(p)?.AsPath.ToString()));
        Assert.Equal(oracle.Keys.Count(p => p.Family == IpFamily.IPv4), _locRib.RoutesIPv4);
        Assert.Equal(oracle.Keys.Count(p => p.Family == IpFamily.IPv6), _locRib.RoutesIPv6);
        Assert.Equal(0, _prefixes.Count);
        Assert.InRange(_table.AttributeSetCount, 1, 10);

        int rounds = 1;
        while (_locRib.Release(7))
        {
            rounds++;
        }

        Assert.InRange(rounds, 2, prefixes.Length);
        Assert.Equal((0, 0, 0), (_table.AttributeSetCount, _locRib.RoutesIPv4, _locRib.RoutesIPv6));
    }

    [Fact]
    public void Errors_of_an_update_withdraw_what_it_announces()
    {
        Apply(BmpMaker.Announcement("64501", "20.0.0.0/16"));
        byte[] octets = Octets(BmpMaker.Announcement("64502", "20.0.0.0/16"), Plain);

        // ORIGIN's value, an octet after its four of flags, type, length: one that does not exist.
        int origin = octets.AsSpan().IndexOf(stackalloc byte[] { 0x40, 0x01, 0x01, 0x00 });
        octets[origin + 3] = 9;
        var damaged = new UpdateMessage();
        Assert.Equal(ErrorAction.TreatAsWithdraw, UpdateDecoder.Decode(octets.AsSpan(BgpConstants.HeaderLength), Plain, damaged));
        _locRib.Apply(damaged);

        Assert.Null(_locRib.Find(IpPrefix.Parse("20.0.0.0/16")));
        Assert.Equal(0, _table.AttributeSetCount);
    }

    [Fact]
    public void Family_with_path_identifiers_has_no_choice_to_tell()
    {
        BgpCodecOptions codec = Plain with { AddPathIPv4 = true };
        UpdateMessage update = BmpMaker.Announcement("64501", "20.0.0.0/16");
        update.Announced[0] = new(update.Announced[0].Prefix, 7);
        _locRib.Apply(Decode(update, codec));
        Apply(BmpMaker.Announcement("64501", "2a00::/32"));

        Assert.Null(_locRib.Find(IpPrefix.Parse("20.0.0.0/16")));
        Assert.NotNull(_locRib.Find(IpPrefix.Parse("2a00::/32")));
        Assert.Equal([IpFamily.IPv4], _locRib.SeveralPaths);
    }

    private static byte[] Octets(UpdateMessage update, BgpCodecOptions codec) => BmpMaker.Octets((ref BgpWriter w) => UpdateEncoder.Encode(ref w, update, codec));

    private static UpdateMessage Decode(UpdateMessage update, BgpCodecOptions codec)
    {
        var decoded = new UpdateMessage();
        Assert.Equal(ErrorAction.None, UpdateDecoder.Decode(Octets(update, codec).AsSpan(BgpConstants.HeaderLength), codec, decoded));
        return decoded;
    }

    private static UpdateMessage Withdrawal(string[] prefixes)
    {
        var update = new UpdateMessage();
        foreach (IpPrefix prefix in prefixes.Select(p => IpPrefix.Parse(p)))
        {
            if (prefix.Family == IpFamily.IPv4)
            {
                update.Withdrawn.Add(new(prefix));
            }
            else
            {
                update.MpUnreachFamily = AfiSafi.IPv6Unicast;
                update.MpUnreach.Add(new(prefix));
            }
        }

        return update;
    }

    private void Apply(UpdateMessage update) => _locRib.Apply(Decode(update, Plain));
}
