using System.Buffers.Binary;

namespace EgressAppliance.Tests.Flow;

/// <summary>Writes big-endian numbers.</summary>
internal sealed class DatagramWriter
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public DatagramWriter U8(int v)
    {
        _bytes.Add((byte)v);
        return this;
    }

    public DatagramWriter U16(int v) => U8(v >> 8).U8(v);

    public DatagramWriter U32(long v) => U16((int)(v >> 16)).U16((int)v);

    public DatagramWriter U64(ulong v) => U32((long)(v >> 32)).U32((long)(v & 0xFFFFFFFF));

    public DatagramWriter Bytes(ReadOnlySpan<byte> v)
    {
        _bytes.AddRange(v);
        return this;
    }

    /// <summary>Appends a set: id, length, content.</summary>
    public DatagramWriter Set(int id, DatagramWriter content) => U16(id).U16(content.Length + 4).Bytes([.. content._bytes]);

    public byte[] ToArray() => [.. _bytes];

    /// <summary>Writes the length of IPFIX into its place.</summary>
    public byte[] ToIpfix()
    {
        byte[] all = ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(all.AsSpan(2), (ushort)all.Length);
        return all;
    }
}
