using System.Buffers.Binary;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// Which link a frame of one source belongs to, by destination MAC and VLAN. Made once per source from the rules; immutable.
/// </summary>
/// <remarks>
/// The few MACs and VLANs that rules name are numbered (0: any other), and a matrix of both numbers holds the answer,
/// computed in advance by the plain definition: of the rules that match, the one that names most things wins; among
/// those one that names a MAC, then one that names a VLAN; then the first. MACs are hashed without collisions, by a multiplier that is searched for.
/// So a frame costs one probe and one table read, whatever the rules are, and the decoder's loop does both itself (<see cref="ILinkFinder"/>).
/// </remarks>
internal sealed class LinkResolver
{
    /// <summary>What <see cref="Resolve"/> answers for a frame that is to be ignored.</summary>
    public const int Ignored = -1;

    private readonly LinkTables _tables;

    /// <summary>Compiles the rules for one source.</summary>
    /// <exception cref="ArgumentException">A rule names no link, nothing to match, or a VLAN that cannot be.</exception>
    public LinkResolver(IReadOnlyList<LinkMatch> rules, IReadOnlyList<MacAddress> ignoredMacs, string source)
    {
        List<LinkMatch> mine = [];
        List<ushort> vlans = [];
        ushort[] vlanNumbers = GC.AllocateArray<ushort>(4096, pinned: true);
        Dictionary<ulong, int> macs = [];
        List<ulong?> macOfNumber = [null];
        foreach (LinkMatch rule in rules)
        {
            Validate(rule);
            if (rule.Source is not null && rule.Source != source)
            {
                continue;
            }

            mine.Add(rule);
            if (rule.DestinationMac is { } mac && macs.TryAdd(mac.Value, macOfNumber.Count))
            {
                macOfNumber.Add(mac.Value);
            }

            if (rule.Vlan is { } vlan && vlanNumbers[vlan] == 0)
            {
                vlans.Add(vlan);
                vlanNumbers[vlan] = (ushort)vlans.Count;
            }
        }

        // A last row for MACs that are to be ignored, whatever the VLAN.
        int vlanCount = vlans.Count + 1;
        short[] links = GC.AllocateArray<short>((macOfNumber.Count + 1) * vlanCount, pinned: true);
        for (int m = 0; m < macOfNumber.Count; m++)
        {
            for (int v = 0; v < vlanCount; v++)
            {
                links[(m * vlanCount) + v] = (short)BestMatch(mine, macOfNumber[m], v == 0 ? null : vlans[v - 1]);
            }
        }

        links.AsSpan(macOfNumber.Count * vlanCount).Fill(Ignored);
        foreach (MacAddress mac in ignoredMacs)
        {
            macs[mac.Value] = macOfNumber.Count;
        }

        _tables = new LinkTables(macs, links, vlanNumbers, vlanCount);
    }

    /// <summary>No rule names a MAC or a VLAN: all frames belong to one link.</summary>
    public bool IsConstant => _tables.IsConstant;

    /// <summary>A rule names a VLAN.</summary>
    public bool NeedsVlan => _tables.NeedsVlan;

    /// <summary>For the decoder, where <see cref="IsConstant"/>.</summary>
    public ConstantLink Constant => _tables.Constant;

    /// <summary>For the decoder, where no rule names a VLAN.</summary>
    public LinkByMac ByMac => _tables.ByMac;

    /// <summary>For the decoder, whatever the rules are.</summary>
    public LinkByMacAndVlan ByMacAndVlan => _tables.ByMacAndVlan;

    /// <summary>The link's number, 0 for none, or <see cref="Ignored"/>.</summary>
    /// <param name="destinationMac">The MAC, or <c>PacketFields.NoMac</c>.</param>
    /// <param name="vlan">VLAN id, 0 for none; below 4096.</param>
    public int Resolve(ulong destinationMac, ushort vlan) => destinationMac == PacketFields.NoMac
        ? _tables.LinkOf(0, vlan)
        : _tables.LinkOf(ByMac.NumberOf(BinaryPrimitives.ReverseEndianness(destinationMac << 16)), vlan);

    private static void Validate(LinkMatch rule)
    {
        if (!rule.Link.IsSome || rule.Link.Value > LinkId.MaxValue)
        {
            throw new ArgumentException($"A link rule names link {rule.Link.Value}; links are numbered 1 to {LinkId.MaxValue}.");
        }

        if (rule is { DestinationMac: null, Vlan: null, Source: null })
        {
            throw new ArgumentException($"The rule for link {rule.Link.Value} names neither MAC nor VLAN nor source.");
        }

        if (rule.Vlan is 0 or > 4094)
        {
            throw new ArgumentException($"The rule for link {rule.Link.Value} names VLAN {rule.Vlan}; VLANs are numbered 1 to 4094.");
        }
    }

    private static int BestMatch(List<LinkMatch> rules, ulong? mac, ushort? vlan)
    {
        int best = 0;
        int bestScore = 0;
        foreach (LinkMatch rule in rules)
        {
            bool matches = (rule.DestinationMac is null || rule.DestinationMac.Value.Value == mac) && (rule.Vlan is null || rule.Vlan == vlan);
            int criteria = (rule.DestinationMac is null ? 0 : 1) + (rule.Vlan is null ? 0 : 1) + (rule.Source is null ? 0 : 1);
            int score = (criteria * 4) + (rule.DestinationMac is null ? 0 : 2) + (rule.Vlan is null ? 0 : 1);
            if (matches && score > bestScore)
            {
                best = rule.Link.Value;
                bestScore = score;
            }
        }

        return best;
    }
}
