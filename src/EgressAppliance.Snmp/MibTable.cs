namespace EgressAppliance.Snmp;

/// <summary>A view made of single variables, each with a constant or a function. Safe to change while an agent serves it.</summary>
public sealed class MibTable : IMibView
{
    private readonly Lock _lock = new();
    private readonly SortedList<ObjectIdentifier, Func<SnmpValue>> _variables = [];

    /// <summary>Adds or replaces a variable with a constant value.</summary>
    public void Set(ObjectIdentifier name, SnmpValue value) => Set(name, () => value);

    /// <summary>Adds or replaces a variable whose value is read when it is asked for.</summary>
    public void Set(ObjectIdentifier name, Func<SnmpValue> read)
    {
        lock (_lock)
        {
            _variables[name] = read;
        }
    }

    /// <summary>Removes a variable. False if there was none.</summary>
    public bool Remove(ObjectIdentifier name)
    {
        lock (_lock)
        {
            return _variables.Remove(name);
        }
    }

    /// <summary>Removes all variables.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _variables.Clear();
        }
    }

    /// <inheritdoc/>
    /// <remarks>A missing variable is noSuchInstance when one beside it (all arcs but the last agree) exists, otherwise noSuchObject.</remarks>
    public SnmpValue Get(ObjectIdentifier name)
    {
        Func<SnmpValue>? read;
        lock (_lock)
        {
            if (!_variables.TryGetValue(name, out read))
            {
                return HasSibling(name) ? SnmpValue.NoSuchInstance : SnmpValue.NoSuchObject;
            }
        }

        return read();
    }

    /// <inheritdoc/>
    public VarBind? Next(ObjectIdentifier name)
    {
        ObjectIdentifier next;
        Func<SnmpValue> read;
        lock (_lock)
        {
            int index = FirstAfter(name);
            if (index == _variables.Count)
            {
                return null;
            }

            next = _variables.GetKeyAtIndex(index);
            read = _variables.GetValueAtIndex(index);
        }

        return new VarBind(next, read());
    }

    private bool HasSibling(ObjectIdentifier name)
    {
        if (!ObjectIdentifier.TryCreate(name.Arcs[..^1], out ObjectIdentifier column))
        {
            return false;
        }

        int index = FirstAfter(column);
        return index < _variables.Count && _variables.GetKeyAtIndex(index).IsWithin(column);
    }

    private int FirstAfter(ObjectIdentifier name)
    {
        int low = 0;
        int high = _variables.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_variables.GetKeyAtIndex(middle) <= name)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
