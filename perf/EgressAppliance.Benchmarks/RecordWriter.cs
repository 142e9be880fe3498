using System.Buffers.Binary;
using EgressAppliance.Capture;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>Writes the records of a capture file into memory: frames of 96 captured bytes and less, as a mirror port with a short snap length gives them.</summary>
internal static class RecordWriter
{
    private const int HeaderBytes = 16;
    private const int SnapLength = 96;
    private static readonly int[] Sizes = [60, 60, 60, 60, 60, 60, 60, 590, 590, 590, 590, 1514];

    /// <summary>Writes a frame for each IPv4 destination, one in ten of them to an IPv6 destination instead.</summary>
    /// <param name="destinations4">IPv4 destinations.</param>
    /// <param name="destinations6">IPv6 destinations.</param>
    /// <param name="macs">Destination MACs, at random.</param>
    /// <param name="batch">Frames of a batch.</param>
    /// <returns>The memory, and where each batch starts in it; last, where the last one ends.</returns>
    public static (PinnedBuffer Records, long[] Starts) Write(IpAddr[] destinations4, IpAddr[] destinations6, MacAddress[] macs, int batch)
    {
        Random random = new(11);
        PinnedBuffer buffer = new(destinations4.Length * (HeaderBytes + SnapLength));
        long[] starts = new long[(destinations4.Length / batch) + 1];
        int at = 0;
        for (int i = 0; i < destinations4.Length; i++)
        {
            if (i % batch == 0)
            {
                starts[i / batch] = at;
            }

            IpAddr destination = random.Next(10) == 0 ? destinations6[random.Next(destinations6.Length)] : destinations4[i];
            bool tagged = random.Next(5) == 0;
            int wire = Sizes[random.Next(Sizes.Length)] + (tagged ? 4 : 0);
            int captured = Math.Min(wire, SnapLength);
            Span<byte> record = buffer.Span.Slice(at, HeaderBytes + captured);
            BinaryPrimitives.WriteInt32LittleEndian(record[8..], captured);
            BinaryPrimitives.WriteInt32LittleEndian(record[12..], wire);
            WriteFrame(record[HeaderBytes..], macs[random.Next(macs.Length)], tagged, destination, wire);
            at += record.Length;
        }

        starts[^1] = at;
        return (buffer, starts);
    }

    private static void WriteFrame(Span<byte> frame, MacAddress mac, bool tagged, IpAddr destination, int wire)
    {
        mac.WriteBytes(frame);
        int type = 12;
        if (tagged)
        {
            BinaryPrimitives.WriteUInt32BigEndian(frame[type..], 0x8100_0064);
            type += 4;
        }

        Span<byte> ip = frame[(type + 2)..];
        int ipBytes = wire - type - 2;
        if (destination.Family == IpFamily.IPv4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[type..], 0x0800);
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ipBytes);
            destination.WriteBytes(ip[16..]);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[type..], 0x86DD);
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ipBytes - 40));
            destination.WriteBytes(ip[24..]);
        }
    }
}
