using System.Net;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;
using EgressAppliance.Snmp;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Interfaces;

/// <summary>An SNMP agent with interfaces whose counters run by the test's clock.</summary>
internal sealed class FakeRouter : IAsyncDisposable
{
    private readonly ManualTimeProvider _time;
    private readonly long _made;
    private readonly Dictionary<uint, (ulong Start, double BytesPerSecond, long Since)> _counters = [];
    private SnmpAgent _agent;
    private long _booted;

    public FakeRouter(ManualTimeProvider time, string name = "edge1")
    {
        _time = time;
        _made = time.GetTimestamp();
        _booted = _made;
        Name = name;
        _agent = new SnmpAgent(new IPEndPoint(IPAddress.Loopback, 0), new Community("s3cret"), Mib);
        Mib.Set(IfMib.SysUpTime, () => SnmpValue.TimeTicks((uint)(_time.GetElapsedTime(_booted).TotalSeconds * 100) + 5000));
    }

    public string Name { get; }

    public MibTable Mib { get; } = new();

    /// <summary>Seconds for which the agent keeps a counter it has read.</summary>
    public double CacheSeconds { get; set; } = 0.001;

    public SnmpAgentStatistics Statistics => _agent.Statistics;

    public RouterConfig Config(double pollSeconds = 10, string community = "s3cret") => new()
    {
        Name = Name,
        Address = IPAddress.Loopback,
        Bgp = new BgpConfig { LocalAddress = IPAddress.Loopback, LocalAs = 65000, PeerAs = 65000 },
        Snmp = new SnmpConfig { Community = community, Port = _agent.LocalEndPoint.Port, Poll = TimeSpan.FromSeconds(pollSeconds) },
    };

    /// <summary>A link that is matched by a VLAN, so that nothing but its interface is asked for.</summary>
    public LinkConfig Link(string name, string @interface, ushort id = 1) => new()
    {
        Id = new LinkId(id),
        Name = name,
        Router = Name,
        Interface = @interface,
        NextHops = [],
        MatchVlan = id,
    };

    /// <summary>A link of which nothing is known but the next hops.</summary>
    public LinkConfig UnknownLink(string name, ushort id, params string[] nextHops) =>
        Link(name, "", id) with { MatchVlan = null, FindsMac = true, NextHops = [.. nextHops.Select(h => IpAddr.Parse(h))] };

    public void AddInterface(uint index, string name, double bytesPerSecond, ulong start = 0, uint mbps = 1000, OperStatus status = OperStatus.Up)
    {
        _counters[index] = (start, bytesPerSecond, _time.GetTimestamp());
        Mib.Set(IfMib.IfName.Append(index), SnmpValue.OctetString(name));
        Mib.Set(IfMib.IfHighSpeed.Append(index), SnmpValue.Gauge32(mbps));
        Mib.Set(IfMib.IfOperStatus.Append(index), SnmpValue.Integer32((int)status));
        Mib.Set(IfMib.IfHCOutOctets.Append(index), () => SnmpValue.Counter64(Octets(index)));
    }

    /// <summary>Takes the 64-bit counter away; what is left has 32 bits.</summary>
    public void Narrow(uint index)
    {
        Mib.Remove(IfMib.IfHCOutOctets.Append(index));
        Mib.Set(IfMib.IfOutOctets.Append(index), () => SnmpValue.Counter32((uint)Octets(index)));
    }

    /// <summary>Makes an interface an aggregate of others, which are interfaces of their own.</summary>
    public void Aggregate(uint index, uint memberMbps, bool byStack, params uint[] members)
    {
        Mib.Set(IfMib.IfType.Append(index), SnmpValue.Integer32(IfMib.LagType));
        foreach (uint member in members)
        {
            Mib.Set(IfMib.IfName.Append(member), SnmpValue.OctetString("member-" + member));
            Mib.Set(IfMib.IfHighSpeed.Append(member), SnmpValue.Gauge32(memberMbps));
            SetUp(member, true);
            Mib.Set(byStack ? IfMib.IfStackStatus.Append(index, member) : IfMib.AttachedAggregate.Append(member), SnmpValue.Integer32(byStack ? 1 : (int)index));
        }
    }

    public void SetUp(uint index, bool up) => Mib.Set(IfMib.IfOperStatus.Append(index), SnmpValue.Integer32((int)(up ? OperStatus.Up : OperStatus.Down)));

    /// <summary>Puts a neighbour into ipNetToPhysicalTable, or into ipNetToMediaTable.</summary>
    public void AddNeighbour(uint index, string address, byte[] mac, bool media = false) => Mib.Set(NeighbourName(index, address, media), SnmpValue.OctetString(mac));

    public void RemoveNeighbour(uint index, string address, bool media = false) => Mib.Remove(NeighbourName(index, address, media));

    public void RemoveInterface(uint index)
    {
        foreach (ObjectIdentifier column in new[] { IfMib.IfName, IfMib.IfHighSpeed, IfMib.IfOperStatus, IfMib.IfHCOutOctets, IfMib.IfOutOctets })
        {
            Mib.Remove(column.Append(index));
        }
    }

    public void Reboot()
    {
        _booted = _time.GetTimestamp();
        foreach (uint index in _counters.Keys)
        {
            _counters[index] = (0, _counters[index].BytesPerSecond, _booted);
        }
    }

    public ValueTask StopAgentAsync() => _agent.DisposeAsync();

    public void StartAgent() => _agent = new SnmpAgent(_agent.LocalEndPoint, new Community("s3cret"), Mib);

    public ValueTask DisposeAsync() => _agent.DisposeAsync();

    private ulong Octets(uint index)
    {
        (ulong start, double bytesPerSecond, long since) = _counters[index];
        double now = Math.Floor((_time.GetElapsedTime(_made).TotalSeconds + 0.0005) / CacheSeconds) * CacheSeconds;
        double begun = _time.GetElapsedTime(_made, since).TotalSeconds;
        return unchecked(start + (ulong)Math.Max(0, (now - begun) * bytesPerSecond));
    }

    private static ObjectIdentifier NeighbourName(uint index, string address, bool media)
    {
        uint[] octets = [.. IPAddress.Parse(address).GetAddressBytes().Select(o => (uint)o)];
        return media
            ? NeighbourTable.IpNetToMediaPhysAddress.Append([index, .. octets])
            : NeighbourTable.IpNetToPhysicalPhysAddress.Append([index, octets.Length == 4 ? 1u : 2u, (uint)octets.Length, .. octets]);
    }
}
