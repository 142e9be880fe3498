namespace EgressAppliance.Bgp.Rib;

/// <summary>
/// Keeps one object for each distinct attribute set and counts its users, so that a set goes when its last path goes.
/// Not thread-safe: guarded by the table's owner.
/// </summary>
internal sealed class AttributeInterner
{
    private readonly HashSet<PathAttributes> _sets = [];

    /// <summary>Distinct sets in use.</summary>
    public int Count => _sets.Count;

    /// <summary>The object for this set, with one more user.</summary>
    public PathAttributes Acquire(PathAttributes attributes)
    {
        if (attributes.References == 0)
        {
            if (_sets.TryGetValue(attributes, out PathAttributes? known))
            {
                attributes = known;
            }
            else
            {
                _sets.Add(attributes);
            }
        }

        attributes.References++;
        return attributes;
    }

    /// <summary>One user less.</summary>
    public void Release(PathAttributes attributes)
    {
        if (--attributes.References == 0)
        {
            _sets.Remove(attributes);
        }
    }
}
