using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Rib;

/// <content>The way in for whole UPDATEs: attribute sets as blocks, changes by the run.</content>
public sealed partial class RibTable
{
    /// <summary>The number of a set, with a user more until <see cref="Release"/>: an UPDATE with many prefixes looks its set up once.</summary>
    internal uint Hold(ReadOnlySpan<byte> block) => _attributes.Acquire(block);

    /// <summary>Takes one more user of a held set.</summary>
    internal void AddUser(uint set) => _attributes.AddUser(set);

    /// <summary>The attributes of a held set.</summary>
    internal PathAttributes AttributesOf(uint set) => AttributeBlock.ToAttributes(_attributes.Block(set));

    /// <summary>Ends a use.</summary>
    internal void Release(uint set) => _attributes.Release(set);

    /// <summary>Applies changes of one source in order and returns how many paths are new. Each announcement's use of its set passes to the table.</summary>
    internal int Apply(int source, ReadOnlySpan<RouteIntake.Change> changes, IReadOnlyList<IpPrefix> tooLong)
    {
        int added = 0;
        using PrefixTable.Changes prefixes = _prefixes.BeginChanges();
        foreach (ref readonly RouteIntake.Change change in changes)
        {
            if (change.Set == 0)
            {
                Withdraw(prefixes, source, change.Prefix(tooLong), change.PathId);
            }
            else
            {
                added += Announce(prefixes, source, change.Prefix(tooLong), change.PathId, change.Set) == RibChange.Added ? 1 : 0;
            }
        }

        return added;
    }
}
