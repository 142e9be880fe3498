using System.Numerics;
using System.Runtime.CompilerServices;

namespace EgressAppliance.Net.Lpm;

/// <summary>A node's runs while it is rewritten: built in slot order, equal neighbours joined.</summary>
internal unsafe struct IPv6Runs
{
    /// <summary>Runs so far.</summary>
    public int Count;

    private Values _values;
    private Map _starts;

    /// <summary>The entry of a run.</summary>
    public readonly uint this[int run] => _values[run];

    /// <summary>Appends a run. Two neighbours that name a block are never joined: no two slots share one.</summary>
    public void Append(int slot, uint entry)
    {
        if (Count == 0 || _values[Count - 1] != entry)
        {
            _values[Count++] = entry;
            _starts[slot >> 6] |= 1UL << (slot & 63);
        }
    }

    /// <summary>True if the runs start where those of the node do.</summary>
    public readonly bool SameShape(IPv6Node* node)
    {
        // Invariant: a node has four words of map, and so has this.
        return new ReadOnlySpan<ulong>(node->Starts, 4).SequenceEqual(_starts);
    }

    /// <summary>Writes a node that no reader knows yet.</summary>
    public readonly void WriteTo(IPv6Node* node)
    {
        // Invariant: the node's block was allocated for Count entries.
        uint before = 0;
        int sum = 0;
        for (int word = 0; word < 4; word++)
        {
            before |= (uint)sum << (8 * word);
            node->Starts[word] = _starts[word];
            sum += BitOperations.PopCount(_starts[word]);
        }

        node->Before = before;
        ReadOnlySpan<uint> values = _values;
        values[..Count].CopyTo(new Span<uint>(IPv6Node.Entries(node), Count));
    }

    [InlineArray(IPv6Node.Slots)]
    private struct Values
    {
        private uint _first;
    }

    [InlineArray(4)]
    private struct Map
    {
        private ulong _first;
    }
}
