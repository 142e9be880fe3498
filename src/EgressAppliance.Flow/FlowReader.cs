using System.Buffers.Binary;

namespace EgressAppliance.Flow;

/// <summary>Reads big-endian numbers off the front of a span. A read beyond the end gives 0 and sets <see cref="Failed"/>, which stays set.</summary>
internal ref struct FlowReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>A read went beyond the end.</summary>
    public bool Failed { get; private set; }

    /// <summary>The next bytes, or none.</summary>
    public ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)_rest.Length)
        {
            Failed = true;
            _rest = default;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    /// <summary>One octet.</summary>
    public byte Byte() => Take(1) is [byte value] ? value : (byte)0;

    /// <summary>Two octets.</summary>
    public ushort UInt16() => Take(2) is { Length: 2 } b ? BinaryPrimitives.ReadUInt16BigEndian(b) : (ushort)0;

    /// <summary>Four octets.</summary>
    public uint UInt32() => Take(4) is { Length: 4 } b ? BinaryPrimitives.ReadUInt32BigEndian(b) : 0;
}
