using System.Buffers.Binary;

namespace EgressAppliance.Tests.Capture;

/// <summary>Writes capture files of every variant, byte by byte.</summary>
internal sealed class PcapBuilder(bool bigEndian = false)
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => _bytes.ToArray();

    public PcapBuilder UInt16(int value)
    {
        Span<byte> two = stackalloc byte[2];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(two, (ushort)value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(two, (ushort)value);
        }

        _bytes.AddRange(two);
        return this;
    }

    public PcapBuilder UInt32(long value)
    {
        Span<byte> four = stackalloc byte[4];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(four, (uint)value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(four, (uint)value);
        }

        _bytes.AddRange(four);
        return this;
    }

    public PcapBuilder Bytes(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>Another part of the file, maybe in the other byte order.</summary>
    public PcapBuilder Append(PcapBuilder other) => Bytes(other.ToArray());

    public PcapBuilder FileHeader(uint magic = 0xA1B2C3D4, int linkType = 1, int minor = 4) =>
        UInt32(magic).UInt16(2).UInt16(minor).UInt32(0).UInt32(0).UInt32(65535).UInt32(linkType);

    public PcapBuilder Record(ReadOnlySpan<byte> frame, int? wireLength = null) =>
        UInt32(1).UInt32(2).UInt32(frame.Length).UInt32(wireLength ?? frame.Length).Bytes(frame);

    public PcapBuilder Block(uint type, PcapBuilder body)
    {
        byte[] content = body.ToArray();
        int padding = -content.Length & 3;
        int length = 12 + content.Length + padding;
        return UInt32(type).UInt32(length).Bytes(content).Bytes(new byte[padding]).UInt32(length);
    }

    public PcapBuilder Section() => Block(0x0A0D0D0A, Body().UInt32(0x1A2B3C4D).UInt16(1).UInt16(0).UInt32(-1).UInt32(-1));

    public PcapBuilder Interface(int linkType = 1, int snapLength = 0) => Block(1, Body().UInt16(linkType).UInt16(0).UInt32(snapLength));

    public PcapBuilder Enhanced(int interfaceId, ReadOnlySpan<byte> frame, int? wireLength = null) => Block(
        6, Body().UInt32(interfaceId).UInt32(0).UInt32(0).UInt32(frame.Length).UInt32(wireLength ?? frame.Length).Bytes(frame));

    public PcapBuilder Simple(int wireLength, ReadOnlySpan<byte> captured) => Block(3, Body().UInt32(wireLength).Bytes(captured));

    public PcapBuilder Obsolete(int interfaceId, ReadOnlySpan<byte> frame) => Block(
        2, Body().UInt16(interfaceId).UInt16(0).UInt32(0).UInt32(0).UInt32(frame.Length).UInt32(frame.Length).Bytes(frame));

    private PcapBuilder Body() => new(bigEndian);
}
