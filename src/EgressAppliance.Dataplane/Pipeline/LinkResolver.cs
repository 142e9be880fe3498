using EgressAppliance.Net;

namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>
/// Which link a frame of one source belongs to, by destination MAC and VLAN. Made once per source from the rules; immutable.
/// </summary>
/// <remarks>
/// The few MACs and VLANs that rules name are numbered (0: any other), and a matrix of both numbers holds the answer,
/// computed in advance by the plain definition: of the rules that match, the one that names most things wins; among
/// those one that names a MAC, then one that names a VLAN; then the first. So a frame costs one hash probe and one table read, whatever the rules are.
/// </remarks>
internal sealed class LinkResolver
{
    /// <summary>What <see cref="Resolve"/> answers for a frame that is to be ignored.</summary>
    public const int Ignored = -1;

    private const ulong Empty = ulong.MaxValue;
    private const ulong HashMultiplier = 0x9E37_79B9_7F4A_7C15;

    private readonly MacEntry[] _macs;
    private readonly int _hashShift;
    private readonly ushort[] _vlanNumbers = new ushort[4096];
    private readonly short[] _links;
    private readonly int _vlanCount;

    /// <summary>Compiles the rules for one source.</summary>
    /// <exception cref="ArgumentException">A rule names no link, nothing to match, or a VLAN that cannot be.</exception>
    public LinkResolver(IReadOnlyList<LinkMatch> rules, IReadOnlyList<MacAddress> ignoredMacs, string source)
    {
        List<LinkMatch> mine = [];
        List<ushort> vlans = [];
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

            if (rule.Vlan is { } vlan && _vlanNumbers[vlan] == 0)
            {
                vlans.Add(vlan);
                _vlanNumbers[vlan] = (ushort)vlans.Count;
            }
        }

        _vlanCount = vlans.Count + 1;
        _links = new short[macOfNumber.Count * _vlanCount];
        for (int m = 0; m < macOfNumber.Count; m++)
        {
            for (int v = 0; v < _vlanCount; v++)
            {
                _links[(m * _vlanCount) + v] = (short)BestMatch(mine, macOfNumber[m], v == 0 ? null : vlans[v - 1]);
            }
        }

        foreach (MacAddress mac in ignoredMacs)
        {
            macs[mac.Value] = Ignored;
        }

        // At most a quarter full: nearly every probe ends at the first slot.
        int bits = 2;
        while (1 << bits < macs.Count * 4)
        {
            bits++;
        }

        _hashShift = 64 - bits;
        _macs = new MacEntry[1 << bits];
        Array.Fill(_macs, new MacEntry(Empty, 0));
        foreach ((ulong mac, int number) in macs)
        {
            int slot = Slot(mac);
            while (_macs[slot].Mac != Empty)
            {
                slot = (slot + 1) & (_macs.Length - 1);
            }

            _macs[slot] = new MacEntry(mac, number);
        }

        Constant = macs.Count == 0 && vlans.Count == 0 ? _links[0] : -1;
    }

    /// <summary>The link of all frames of the source, 0 for none; -1 where it depends on the frame.</summary>
    public int Constant { get; }

    /// <summary>The link's number, 0 for none, or <see cref="Ignored"/>.</summary>
    /// <param name="destinationMac">The MAC, or <c>PacketFields.NoMac</c>.</param>
    /// <param name="vlan">VLAN id, 0 for none; below 4096.</param>
    public int Resolve(ulong destinationMac, ushort vlan)
    {
        int slot = Slot(destinationMac);
        ref MacEntry entry = ref _macs[slot];
        int macNumber = entry.Mac == destinationMac ? entry.Number : ResolveFurther(destinationMac, slot);
        return macNumber < 0 ? Ignored : _links[(macNumber * _vlanCount) + _vlanNumbers[vlan]];
    }

    private int ResolveFurther(ulong destinationMac, int slot)
    {
        for (; _macs[slot].Mac != Empty; slot = (slot + 1) & (_macs.Length - 1))
        {
            if (_macs[slot].Mac == destinationMac)
            {
                return _macs[slot].Number;
            }
        }

        return 0;
    }

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

    private int Slot(ulong mac) => (int)(mac * HashMultiplier >> _hashShift);

    /// <summary>A MAC that rules name, and its number; an unused place has a MAC that no frame can have.</summary>
    private readonly record struct MacEntry(ulong Mac, int Number);
}
