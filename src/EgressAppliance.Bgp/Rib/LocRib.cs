using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// A router's own choice of each prefix, as BMP shows it (Loc-RIB, RFC 9069). Guarded by the speaker's lock.
/// </summary>
/// <remarks>
/// It is there to be compared with, and is never an input: a Loc-RIB holds our own overrides and what the router has from its other neighbours. So it stays out of the table of
/// paths, whose prefixes the data path looks up in. One number a prefix, that of an attribute set which the table of paths keeps once for all: some 30 bytes an
/// IPv4 and 50 an IPv6 prefix, 45 MB for a full table, and no more than the station's limit on the routes of a router allows.
/// </remarks>
/// <param name="table">Keeps the attribute sets.</param>
/// <param name="shown">What the station calls it.</param>
/// <param name="peer">Index of the router.</param>
/// <param name="load">How far it has come.</param>
internal sealed class LocRib(RibTable table, BmpSource shown, int peer, Speaker.TableLoad load)
{
    private readonly Dictionary<ulong, uint> _ipv4 = [];
    private readonly Dictionary<IpPrefix, uint> _ipv6 = [];
    private readonly HashSet<IpFamily> _several = [];

    /// <summary>What the station calls it.</summary>
    public BmpSource Shown { get; } = shown;

    /// <summary>Index of the router.</summary>
    public int Peer { get; } = peer;

    /// <summary>How far it has come.</summary>
    public Speaker.TableLoad Load { get; } = load;

    /// <summary>IPv4 prefixes held.</summary>
    public int RoutesIPv4 => _ipv4.Count;

    /// <summary>IPv6 prefixes held.</summary>
    public int RoutesIPv6 => _ipv6.Count;

    /// <summary>Families that come with path identifiers.</summary>
    public IReadOnlyList<IpFamily> SeveralPaths => [.. _several];

    private int Count => _ipv4.Count + _ipv6.Count;

    /// <summary>Applies an UPDATE.</summary>
    public void Apply(UpdateMessage update)
    {
        int before = Count;
        Withdraw(update.Withdrawn);
        if (update.MpUnreachFamily?.Family is not null)
        {
            Withdraw(update.MpUnreach);
        }

        bool withdraw = update.Action == ErrorAction.TreatAsWithdraw;
        if (update.Announced.Count > 0)
        {
            Announce(IpFamily.IPv4, update.Announced, withdraw ? default : update.Block(multiprotocol: false));
        }

        if (update.MpReachFamily?.Family is { } family)
        {
            Announce(family, update.MpReach, withdraw ? default : update.Block(multiprotocol: true));
        }

        if (Count > before)
        {
            Load.Grew(Count - before, Count);
        }
    }

    /// <summary>The router's choice of a prefix, or null if it shows none, or several of the family, of which it does not say which is the best.</summary>
    public PathAttributes? Find(IpPrefix prefix)
    {
        uint set = 0;
        bool found = !_several.Contains(prefix.Family)
            && (prefix.Family == IpFamily.IPv4 ? _ipv4.TryGetValue(Key(prefix), out set) : _ipv6.TryGetValue(prefix, out set));
        return found ? table.AttributesOf(set) : null;
    }

    /// <summary>Lets go of up to <paramref name="step"/> attribute sets; false when none is left. Nothing may be asked of it any more.</summary>
    public bool Release(int step)
    {
        return Release(_ipv4, ref step) || Release(_ipv6, ref step);
    }

    private bool Release<T>(Dictionary<T, uint> routes, ref int step)
        where T : notnull
    {
        foreach ((T key, uint set) in routes)
        {
            if (step-- <= 0)
            {
                return true;
            }

            table.Release(set);
            routes.Remove(key);
        }

        return false;
    }

    /// <summary>An IPv4 prefix in a number: a third of the room that a prefix takes as it is.</summary>
    private static ulong Key(IpPrefix prefix) => ((ulong)prefix.Address.IPv4Value << 8) | prefix.Length;

    private void Announce(IpFamily family, List<Nlri> prefixes, ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty)
        {
            Withdraw(prefixes);
            return;
        }

        Load.Saw(family);
        uint set = table.Hold(block);
        foreach (Nlri nlri in prefixes)
        {
            if (nlri.PathId != 0)
            {
                // Paths of which none is called the best: what the family's choice is cannot be told.
                _several.Add(family);
            }

            Take(nlri.Prefix);
            table.AddUser(set);
            if (nlri.Prefix.Family == IpFamily.IPv4)
            {
                _ipv4[Key(nlri.Prefix)] = set;
            }
            else
            {
                _ipv6[nlri.Prefix] = set;
            }
        }

        table.Release(set);
    }

    private void Withdraw(List<Nlri> prefixes)
    {
        foreach (Nlri nlri in prefixes)
        {
            Take(nlri.Prefix);
        }
    }

    private void Take(IpPrefix prefix)
    {
        if (prefix.Family == IpFamily.IPv4 ? _ipv4.Remove(Key(prefix), out uint set) : _ipv6.Remove(prefix, out set))
        {
            table.Release(set);
        }
    }
}
