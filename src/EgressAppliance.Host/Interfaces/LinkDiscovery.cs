using EgressAppliance.Net;
using EgressAppliance.Snmp;

namespace EgressAppliance.Host.Interfaces;

/// <summary>A provider to find the link of.</summary>
/// <param name="Name">Name that the link is to have.</param>
/// <param name="NextHops">The provider's addresses on it.</param>
public sealed record LinkWish(string Name, IReadOnlyList<IpAddr> NextHops);

/// <summary>What was found out about a link.</summary>
/// <param name="Wish">What was looked for.</param>
/// <param name="Interface">ifName of the router's interface; null if not found.</param>
/// <param name="Mac">The provider's MAC address; null if not found.</param>
/// <param name="CapacityBps">ifHighSpeed, bit/s; null if the router does not tell.</param>
/// <param name="OperStatus">ifOperStatus.</param>
/// <param name="Problems">What is missing or in doubt, with what to do; empty if nothing is.</param>
public sealed record FoundLink(
    LinkWish Wish, string? Interface, MacAddress? Mac, long? CapacityBps, OperStatus OperStatus, IReadOnlyList<string> Problems);

/// <summary>
/// Finds links by what a router knows of its neighbours: next hop → interface and MAC address (ipNetToPhysicalTable, RFC 4293; ipNetToMediaTable where an agent has only
/// that), interface → name. A neighbour that the router has not spoken to lately is not in these tables.
/// </summary>
public static class LinkDiscovery
{
    private const int MostNeighbours = 100_000;
    private const int MacBytes = 6;
    private const uint IPv4Type = 1;
    private const uint IPv6Type = 2;
    private const uint IPv4ZoneType = 3;
    private const uint IPv6ZoneType = 4;

    /// <summary>ipNetToPhysicalPhysAddress, by ifIndex, type of address, its length and its octets.</summary>
    public static ObjectIdentifier IpNetToPhysicalPhysAddress { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.4.35.1.4");

    /// <summary>ipNetToMediaPhysAddress, by ifIndex and IPv4 address.</summary>
    public static ObjectIdentifier IpNetToMediaPhysAddress { get; } = ObjectIdentifier.Parse("1.3.6.1.2.1.4.22.1.2");

    /// <summary>Looks for links.</summary>
    /// <param name="client">The router's agent.</param>
    /// <param name="wishes">What to look for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A link for each wish, or why the agent cannot be asked.</returns>
    public static async Task<(IReadOnlyList<FoundLink> Links, string? Error)> FindAsync(
        SnmpClient client, IReadOnlyList<LinkWish> wishes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(wishes);
        Dictionary<IpAddr, HashSet<(uint Interface, MacAddress Mac)>> neighbours = [];
        foreach (ObjectIdentifier table in (ObjectIdentifier[])[IpNetToPhysicalPhysAddress, IpNetToMediaPhysAddress])
        {
            SnmpResult rows = await client.WalkAsync(table, MostNeighbours, cancel: cancellationToken);
            if (!rows.IsOk)
            {
                return ([], rows.Message);
            }

            foreach (VarBind row in rows.Bindings)
            {
                if (TryRead(row, table, out IpAddr address, out uint index, out MacAddress mac))
                {
                    (neighbours.TryGetValue(address, out HashSet<(uint, MacAddress)>? known) ? known : neighbours[address] = []).Add((index, mac));
                }
            }
        }

        List<FoundLink> links = [];
        foreach (LinkWish wish in wishes)
        {
            (FoundLink? link, string? error) = await FindAsync(client, wish, neighbours, cancellationToken);
            if (link is null)
            {
                return ([], error);
            }

            links.Add(link);
        }

        return ([.. links.Select(l => Compare(l, links))], null);
    }

    private static async Task<(FoundLink? Link, string? Error)> FindAsync(
        SnmpClient client, LinkWish wish, Dictionary<IpAddr, HashSet<(uint Interface, MacAddress Mac)>> neighbours, CancellationToken stop)
    {
        List<string> problems = [];
        HashSet<(uint Interface, MacAddress Mac)> found = [];
        foreach (IpAddr hop in wish.NextHops)
        {
            if (neighbours.TryGetValue(hop, out HashSet<(uint, MacAddress)>? its))
            {
                found.UnionWith(its);
            }
            else
            {
                problems.Add($"{hop} is not among the router's neighbours: ping it from the router, or have 1.3.6.1.2.1.4 in the view");
            }
        }

        uint[] interfaces = [.. found.Select(f => f.Interface).Distinct().Order()];
        MacAddress[] macs = [.. found.Select(f => f.Mac).Distinct()];
        if (interfaces.Length == 0)
        {
            return (new FoundLink(wish, null, null, null, OperStatus.Unknown, problems), null);
        }

        if (interfaces.Length > 1)
        {
            problems.Add($"its next hops are behind several interfaces (ifIndex {string.Join(", ", interfaces)}): make a link of each");
        }

        if (macs.Length > 1)
        {
            problems.Add($"its next hops have several MAC addresses ({string.Join(", ", macs.Select(m => m.ToString()).Order(StringComparer.Ordinal))}): make a link of each, or match by VLAN or source");
        }

        uint index = interfaces[0];
        SnmpResult port = await client.GetAsync([IfMib.IfName.Append(index), IfMib.IfHighSpeed.Append(index), IfMib.IfOperStatus.Append(index)], stop);
        if (!port.IsOk)
        {
            return (null, port.Message);
        }

        if (!port.Bindings[0].Value.TryGetText(out string name))
        {
            problems.Add($"the router shows no name of ifIndex {index}: have 1.3.6.1.2.1.31 in the view");
            name = $"index:{index}";
        }

        long? capacity = port.Bindings[1].Value.TryGetUnsigned(out ulong mbps) && mbps is > 0 and < int.MaxValue ? (long)mbps * 1_000_000 : null;
        if (capacity is null)
        {
            problems.Add("the router does not tell its speed: set capacity");
        }

        OperStatus status = port.Bindings[2].Value.TryGetInteger(out int number) && Enum.IsDefined((OperStatus)number) ? (OperStatus)number : OperStatus.Unknown;
        return (new FoundLink(wish, name, macs.Length == 1 && interfaces.Length == 1 ? macs[0] : null, capacity, status, problems), null);
    }

    /// <summary>Two providers behind one MAC address cannot be told apart by it.</summary>
    private static FoundLink Compare(FoundLink link, List<FoundLink> all) => link.Mac is not null && all.Find(o => o != link && o.Mac == link.Mac) is { } other
        ? link with { Problems = [.. link.Problems, $"{other.Wish.Name} has the same MAC address: match by VLAN or source as well"] }
        : link;

    private static bool TryRead(VarBind row, ObjectIdentifier table, out IpAddr address, out uint index, out MacAddress mac)
    {
        address = default;
        index = 0;
        mac = default;
        if (!row.Name.IsWithin(table) || !row.Value.TryGetBytes(out ReadOnlySpan<byte> physical) || physical.Length != MacBytes || physical.IndexOfAnyExcept((byte)0) < 0)
        {
            return false;
        }

        ReadOnlySpan<uint> key = row.Name.Arcs[table.Length..];
        ReadOnlySpan<uint> octets = default;
        if (table == IpNetToMediaPhysAddress && key.Length == 5)
        {
            octets = key[1..];
        }
        else if (table == IpNetToPhysicalPhysAddress && key.Length >= 3 && key[2] == key.Length - 3)
        {
            // Behind the octets of an address with a zone stand four of the zone.
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
