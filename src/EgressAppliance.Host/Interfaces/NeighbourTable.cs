using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>
/// What a router knows of its neighbours: address → interface and MAC address. It stands in ipNetToPhysicalTable (RFC 4293), and of agents that have only that in
/// ipNetToMediaTable. A neighbour that the router has not spoken to lately is in neither.
/// </summary>
public sealed class NeighbourTable
{
    private const int MostNeighbours = 100_000;
    private const int NamesPerRequest = 16;
    private const int MacBytes = 6;
    private const uint IPv4Type = 1;
    private const uint IPv6Type = 2;
    private const uint IPv4ZoneType = 3;
    private const uint IPv6ZoneType = 4;
    private static readonly HashSet<(uint Interface, MacAddress Mac)> None = [];
    private readonly Dictionary<IpAddr, HashSet<(uint Interface, MacAddress Mac)>> _neighbours = [];

    private NeighbourTable()
    {
    }

    /// <summary>ipNetToPhysicalPhysAddress, by ifIndex, type of address, its length and its octets.</summary>
    public static ObjectIdentifier IpNetToPhysicalPhysAddress { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.4.35.1.4");

    /// <summary>ipNetToMediaPhysAddress, by ifIndex and IPv4 address.</summary>
    public static ObjectIdentifier IpNetToMediaPhysAddress { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.4.22.1.2");

    /// <summary>Where a neighbour was seen; more than one if it is behind several interfaces, or the tables differ.</summary>
    public IReadOnlySet<(uint Interface, MacAddress Mac)> Of(IpAddr neighbour) => _neighbours.GetValueOrDefault(neighbour, None);

    /// <summary>Reads all neighbours.</summary>
    /// <param name="client">The router's agent.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>The table, or why the agent cannot be asked.</returns>
    public static async Task<(NeighbourTable Table, string? Error)> ReadAsync(SnmpClient client, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(client);
        NeighbourTable table = new();
        foreach (ObjectIdentifier column in (ObjectIdentifier[])[IpNetToPhysicalPhysAddress, IpNetToMediaPhysAddress])
        {
            SnmpResult rows = await client.WalkAsync(column, MostNeighbours, cancel: stop);
            if (!rows.IsOk)
            {
                return (table, rows.Message);
            }

            foreach (VarBind row in rows.Bindings)
            {
                table.Add(row);
            }
        }

        return (table, null);
    }

    /// <summary>Reads only the rows of certain neighbours, each on the interface that it is behind. Costs a request per eight of them, however many the router has.</summary>
    /// <param name="client">The router's agent.</param>
    /// <param name="wanted">ifIndex and address of each.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>What the agent has of them, or why it cannot be asked.</returns>
    public static async Task<(NeighbourTable Table, string? Error)> ReadAsync(
        SnmpClient client, IEnumerable<(uint Interface, IpAddr Neighbour)> wanted, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(client);
        NeighbourTable table = new();
        foreach (ObjectIdentifier[] names in wanted.SelectMany(w => Names(w.Interface, w.Neighbour)).Chunk(NamesPerRequest))
        {
            SnmpResult rows = await client.GetAsync(names, stop);
            if (SnmpAccess.IsGone(rows))
            {
                return (table, rows.Message);
            }

            foreach (VarBind row in rows.Bindings)
            {
                table.Add(row);
            }
        }

        return (table, null);
    }

    private static ObjectIdentifier[] Names(uint index, IpAddr neighbour)
    {
        uint[] octets = [.. neighbour.ToIPAddress().GetAddressBytes().Select(o => (uint)o)];
        return neighbour.Family == IpFamily.IPv4
            ? [IpNetToPhysicalPhysAddress.Append([index, IPv4Type, 4, .. octets]), IpNetToMediaPhysAddress.Append([index, .. octets])]
            : [IpNetToPhysicalPhysAddress.Append([index, IPv6Type, 16, .. octets])];
    }

    private void Add(VarBind row)
    {
        if (TryRead(row, out IpAddr address, out uint index, out MacAddress mac))
        {
            (_neighbours.TryGetValue(address, out HashSet<(uint, MacAddress)>? known) ? known : _neighbours[address] = []).Add((index, mac));
        }
    }

    /// <summary>Reads a row of either table. False for what is no neighbour that frames can be sent to.</summary>
    private static bool TryRead(VarBind row, out IpAddr address, out uint index, out MacAddress mac)
    {
        address = default;
        index = 0;
        mac = default;
        if (!row.Value.TryGetBytes(out ReadOnlySpan<byte> physical) || physical.Length != MacBytes || physical.IndexOfAnyExcept((byte)0) < 0 || (physical[0] & 1) != 0)
        {
            return false;
        }

        ReadOnlySpan<uint> octets = default;
        ReadOnlySpan<uint> key = default;
        if (row.Name.IsWithin(IpNetToMediaPhysAddress) && row.Name.Arcs[IpNetToMediaPhysAddress.Length..] is { Length: 5 } media)
        {
            key = media;
            octets = key[1..];
        }
        else if (row.Name.IsWithin(IpNetToPhysicalPhysAddress) && row.Name.Arcs[IpNetToPhysicalPhysAddress.Length..] is { Length: >= 3 } any && any[2] == any.Length - 3)
        {
            // Behind the octets of an address with a zone stand four of the zone.
            key = any;
            octets = key[1] switch
            {
                IPv4Type when key[2] == 4 => key[3..],
                IPv6Type when key[2] == 16 => key[3..],
                IPv4ZoneType when key[2] == 8 => key.Slice(3, 4),
                IPv6ZoneType when key[2] == 20 => key.Slice(3, 16),
                _ => default,
            };
        }

        if (octets.IsEmpty || octets.IndexOfAnyExceptInRange(0u, 255u) >= 0)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[octets.Length];
        for (int i = 0; i < octets.Length; i++)
        {
            bytes[i] = (byte)octets[i];
        }

        address = IpAddr.FromBytes(bytes);
        index = key[0];
        mac = MacAddress.FromBytes(physical);
        return index != 0;
    }
}
