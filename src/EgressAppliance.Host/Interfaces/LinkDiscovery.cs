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
/// Finds links by what a router knows of its neighbours: next hop → interface and MAC address (<see cref="NeighbourTable"/>), interface → name.
/// </summary>
public static class LinkDiscovery
{
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
        (NeighbourTable neighbours, string? refused) = await NeighbourTable.ReadAsync(client, cancellationToken);
        if (refused is not null)
        {
            return ([], refused);
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
        SnmpClient client, LinkWish wish, NeighbourTable neighbours, CancellationToken stop)
    {
        List<string> problems = [];
        HashSet<(uint Interface, MacAddress Mac)> found = [];
        foreach (IpAddr hop in wish.NextHops)
        {
            IReadOnlySet<(uint, MacAddress)> its = neighbours.Of(hop);
            found.UnionWith(its);
            if (its.Count == 0)
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
}
