using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// What one router has been told (its Adj-RIB-Out) and what it has yet to be told. Guarded by the speaker's lock.
/// </summary>
/// <remarks>
/// <para>Announcements wait in the order they were asked for until the rate limit, the outbound queue and the router's own limit on prefixes let them
/// go. They are kept by prefix, not as messages: asked for anew, a waiting prefix takes the newer attributes; withdrawn, it is forgotten. So what
/// waits is never more than the overrides in force, however slow the router is, and what is sent in the end is the difference.</para>
/// <para>Withdrawals wait for nothing. One more rule keeps waiting safe: an override that is to be replaced by one with another next hop, and whose
/// replacement has to wait, is withdrawn at once (<see cref="TakeUnsafe"/>); nobody watches over the old path any more.</para>
/// </remarks>
internal sealed class PeerOutput(SessionParameters parameters, int limit, TokenBucket tokens)
{
    private readonly Dictionary<IpPrefix, PathAttributes> _held = [];
    private readonly Dictionary<IpPrefix, LinkedListNode<(IpPrefix Prefix, PathAttributes Attributes)>> _waiting = [];
    private readonly LinkedList<(IpPrefix Prefix, PathAttributes Attributes)> _order = new();
    private readonly HashSet<IpPrefix> _replaced = [];
    private readonly HashSet<IpPrefix> _gone = [];

    /// <summary>Of what waits, the prefixes that the router does not have.</summary>
    private int _new;

    /// <summary>Prefixes the router has from us.</summary>
    public int Held => _held.Count;

    /// <summary>Prefixes that are to be announced.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>The outbound queue passed its high mark: nothing is announced until it has fallen to the low mark.</summary>
    public bool Behind { get; set; }

    /// <summary>Something waits that the router's limit on prefixes does not hold back: it goes with time.</summary>
    public bool WaitsForTime => _waiting.Count > _new || (_new > 0 && _held.Count < limit);

    /// <summary>True if the router can be told of such a route: a family agreed on, and a next hop of that family unless RFC 8950 is in force.</summary>
    public bool Takes(IpPrefix prefix, PathAttributes attributes) => parameters.Families.Contains(prefix.Family)
        && (attributes.NextHop.Address.Family == prefix.Family || (prefix.Family == IpFamily.IPv4 && parameters.Send.ExtendedNextHop));

    /// <summary>True if the router's limit leaves room for this prefix.</summary>
    public bool HasRoom(IpPrefix prefix) =>
        !parameters.Families.Contains(prefix.Family) || _held.ContainsKey(prefix) || _waiting.ContainsKey(prefix) || _held.Count + _new < limit;

    /// <summary>Asks for an announcement; with <paramref name="again"/> also of what the router has already.</summary>
    public void Want(IpPrefix prefix, PathAttributes attributes, bool again = false)
    {
        if (!Takes(prefix, attributes))
        {
            Drop(prefix);
            return;
        }

        bool held = _held.TryGetValue(prefix, out PathAttributes? old);
        if (_waiting.TryGetValue(prefix, out LinkedListNode<(IpPrefix, PathAttributes)>? node))
        {
            node.Value = (prefix, attributes);
        }
        else if (again || !held || !old!.Equals(attributes))
        {
            _waiting.Add(prefix, _order.AddLast((prefix, attributes)));
            _new += held ? 0 : 1;
        }

        if (held && old!.NextHop.Address != attributes.NextHop.Address)
        {
            _replaced.Add(prefix);
        }
        else
        {
            _replaced.Remove(prefix);
        }
    }

    /// <summary>Takes a prefix back: it is announced no more, and withdrawn if the router has it.</summary>
    public void Drop(IpPrefix prefix)
    {
        Forget(prefix);
        if (_held.Remove(prefix))
        {
            _gone.Add(prefix);
        }
    }

    /// <summary>Puts the announcements that may go now into the batch, and nothing else. <see cref="Announced"/> tells which went.</summary>
    public void TakeAnnouncements(UpdateBatch batch)
    {
        int left = tokens.Available;
        // What is being withdrawn still counts: withdrawals stand behind announcements, and at no moment may the router see more than it takes.
        int room = limit - _held.Count - _gone.Count;
        foreach ((IpPrefix prefix, PathAttributes attributes) in _order)
        {
            if (left == 0)
            {
                return;
            }

            if (_held.ContainsKey(prefix) || room-- > 0)
            {
                batch.Announce(prefix, attributes);
                left--;
            }
        }
    }

    /// <summary>The router is being told of these prefixes.</summary>
    public void Announced(ReadOnlySpan<Nlri> prefixes, PathAttributes attributes)
    {
        tokens.Take(prefixes.Length);
        foreach (Nlri nlri in prefixes)
        {
            Forget(nlri.Prefix);
            _held[nlri.Prefix] = attributes;
            _gone.Remove(nlri.Prefix);
        }
    }

    /// <summary>The prefixes cannot be announced to this router: their attributes leave no room for a prefix in its messages.</summary>
    public void Unsendable(ReadOnlySpan<Nlri> prefixes)
    {
        foreach (Nlri nlri in prefixes)
        {
            Drop(nlri.Prefix);
        }
    }

    /// <summary>Puts the withdrawals into the batch, those of overrides whose replacement has to wait included.</summary>
    public void TakeWithdrawals(UpdateBatch batch)
    {
        TakeUnsafe();
        foreach (IpPrefix prefix in _gone)
        {
            batch.Withdraw(prefix);
        }

        _gone.Clear();
    }

    private void TakeUnsafe()
    {
        foreach (IpPrefix prefix in _replaced)
        {
            if (_held.Remove(prefix))
            {
                _gone.Add(prefix);
                _new++;
            }
        }

        _replaced.Clear();
    }

    private void Forget(IpPrefix prefix)
    {
        _replaced.Remove(prefix);
        if (_waiting.Remove(prefix, out LinkedListNode<(IpPrefix, PathAttributes)>? node))
        {
            _order.Remove(node);
            _new -= _held.ContainsKey(prefix) ? 0 : 1;
        }
    }
}
