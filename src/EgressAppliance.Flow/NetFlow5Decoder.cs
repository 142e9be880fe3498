using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>NetFlow version 5: a header of 24 octets and up to 30 records of 48 (Cisco, NetFlow Export Datagram Format).</summary>
internal static class NetFlow5Decoder
{
    public const int HeaderBytes = 24;
    public const int RecordBytes = 48;
    public const int MaxRecords = 30;

    /// <summary>Flows by which datagrams that overtake each other step back: 64 full datagrams.</summary>
    private const int ReorderWindow = 64 * MaxRecords;

    public static void Decode(ReadOnlySpan<byte> datagram, FlowOutput output)
    {
        var r = new FlowReader(datagram);
        r.UInt16();
        int count = r.UInt16();
        uint uptime = r.UInt32();
        long bootMilliseconds = r.UInt32() * 1000L + r.UInt32() / 1_000_000 - uptime;
        uint sequence = r.UInt32();
        uint engine = r.UInt16();
        // The two upper bits are the mode. Exporters that sample set them, but some give the interval with mode 0.
        uint sampling = (uint)(r.UInt16() & 0x3FFF);
        if (r.Failed)
        {
            output.Refuse(FlowStatus.Truncated);
            return;
        }

        // A header that contradicts its datagram says nothing of the sequence either.
        if (count is 0 or > MaxRecords)
        {
            output.Refuse(FlowStatus.BadLength);
            return;
        }

        if (r.Remaining < count * RecordBytes)
        {
            output.Refuse(FlowStatus.Truncated);
            return;
        }

        output.Decoder.Observe(new(FlowProtocol.NetFlow5, output.Exporter, engine, null, output.Port), ReorderWindow, sequence, (uint)count, uptime);
        for (int i = 0; i < count; i++)
        {
            uint source = r.UInt32();
            uint destination = r.UInt32();
            uint nextHop = r.UInt32();
            ushort input = r.UInt16();
            ushort outputInterface = r.UInt16();
            uint packets = r.UInt32();
            uint bytes = r.UInt32();
            uint first = r.UInt32();
            uint last = r.UInt32();
            ushort sourcePort = r.UInt16();
            ushort destinationPort = r.UInt16();
            r.UInt16();
            byte protocol = r.Byte();
            r.Take(9);
            output.Add(new FlowRecord
            {
                Protocol = FlowProtocol.NetFlow5,
                Exporter = output.Exporter,
                Domain = engine,
                Destination = IpAddr.FromIPv4(destination),
                Source = IpAddr.FromIPv4(source),
                NextHop = nextHop == 0 ? default : IpAddr.FromIPv4(nextHop),
                InputInterface = input,
                OutputInterface = outputInterface,
                Packets = packets,
                Bytes = bytes,
                SourcePort = sourcePort,
                DestinationPort = destinationPort,
                IpProtocol = protocol,
                SamplingInterval = sampling,
                StartMilliseconds = AbsoluteTime(bootMilliseconds, uptime, first),
                EndMilliseconds = AbsoluteTime(bootMilliseconds, uptime, last),
            });
        }

        if (r.Remaining != 0)
        {
            output.Refuse(FlowStatus.BadLength);
        }
    }

    /// <summary>A time given as uptime. The flow lies within 24 days of the header's uptime, which may have wrapped since.</summary>
    internal static long AbsoluteTime(long bootMilliseconds, uint uptime, uint at) =>
        bootMilliseconds + uptime + unchecked((int)(at - uptime));
}
