namespace EgressAppliance.Fuzz.Mutation;

/// <summary>An input in the making: octets that can be inserted and removed, up to a limit. What goes beyond it is cut.</summary>
public sealed class InputBuffer
{
    /// <summary>Longest input.</summary>
    public const int Capacity = 1 << 16;

    private readonly byte[] _octets = new byte[Capacity];

    /// <summary>Octets there are.</summary>
    public int Length { get; private set; }

    /// <summary>The octets.</summary>
    public Span<byte> Span => _octets.AsSpan(0, Length);

    /// <summary>Makes it empty.</summary>
    public void Clear() => Length = 0;

    /// <summary>Adds octets at the end.</summary>
    public void Append(ReadOnlySpan<byte> octets)
    {
        int count = Math.Min(octets.Length, Capacity - Length);
        octets[..count].CopyTo(_octets.AsSpan(Length));
        Length += count;
    }

    /// <summary>Adds an octet at the end.</summary>
    public void Append(byte octet) => Append([octet]);

    /// <summary>Adds a number of two octets at the end.</summary>
    public void AppendUInt16(int value) => Append([(byte)(value >> 8), (byte)value]);

    /// <summary>Puts octets before position <paramref name="at"/>. They may not be part of the buffer itself.</summary>
    public void Insert(int at, ReadOnlySpan<byte> octets)
    {
        int count = Math.Min(octets.Length, Capacity - Length);
        _octets.AsSpan(at, Length - at).CopyTo(_octets.AsSpan(at + count));
        octets[..count].CopyTo(_octets.AsSpan(at));
        Length += count;
    }

    /// <summary>Takes octets out.</summary>
    public void Remove(int at, int count)
    {
        count = Math.Min(count, Length - at);
        _octets.AsSpan(at + count, Length - at - count).CopyTo(_octets.AsSpan(at));
        Length -= count;
    }

    /// <summary>Cuts everything from <paramref name="length"/> on.</summary>
    public void Truncate(int length) => Length = Math.Min(Length, length);
}
