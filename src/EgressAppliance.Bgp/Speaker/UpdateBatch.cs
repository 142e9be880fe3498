using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// Withdrawals and announcements that leave together, the announcements grouped by equal attributes, so that they share messages. Groups and
/// the prefixes in them stand in the order in which they were added. Used under the speaker's lock.
/// </summary>
internal sealed class UpdateBatch
{
    private readonly Dictionary<(PathAttributes Attributes, IpFamily Family), Group> _groups = [];
    private readonly List<Group> _order = [];

    /// <summary>Prefixes of one family with the same attributes.</summary>
    /// <param name="Family">The family.</param>
    /// <param name="Attributes">The attributes.</param>
    /// <param name="Prefixes">The prefixes, path identifiers 0.</param>
    public sealed record Group(IpFamily Family, PathAttributes Attributes, List<Nlri> Prefixes);

    /// <summary>True if there is nothing to send.</summary>
    public bool IsEmpty => _order.Count == 0 && WithdrawnIPv4.Count == 0 && WithdrawnIPv6.Count == 0;

    /// <summary>What is announced.</summary>
    public IReadOnlyList<Group> Announcements => _order;

    /// <summary>IPv4 prefixes to withdraw.</summary>
    public List<Nlri> WithdrawnIPv4 { get; } = [];

    /// <summary>IPv6 prefixes to withdraw.</summary>
    public List<Nlri> WithdrawnIPv6 { get; } = [];

    /// <summary>Adds an announcement.</summary>
    public void Announce(IpPrefix prefix, PathAttributes attributes)
    {
        if (!_groups.TryGetValue((attributes, prefix.Family), out Group? group))
        {
            _groups.Add((attributes, prefix.Family), group = new(prefix.Family, attributes, []));
            _order.Add(group);
        }

        group.Prefixes.Add(new(prefix));
    }

    /// <summary>Adds a withdrawal.</summary>
    public void Withdraw(IpPrefix prefix) => (prefix.Family == IpFamily.IPv4 ? WithdrawnIPv4 : WithdrawnIPv6).Add(new(prefix));

    /// <summary>Makes it empty.</summary>
    public void Clear()
    {
        _groups.Clear();
        _order.Clear();
        WithdrawnIPv4.Clear();
        WithdrawnIPv6.Clear();
    }
}
