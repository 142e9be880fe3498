using EgressAppliance.Net;
using Google.Protobuf;

namespace EgressAppliance.Cluster.Deltas;

/// <summary>Reads deltas. A field that is there twice counts as protobuf says: the last one, and columns together.</summary>
internal static class DeltaReader
{
    // More bytes than any link carries in a century, and sums of several still hold.
    private const long MaxCount = 1L << 60;

    public static (TrafficDelta? Delta, DeltaFault Fault) Read(byte[] message)
    {
        try
        {
            return (ReadDelta(message), DeltaFault.None);
        }
        catch (FaultException e)
        {
            return (null, e.Fault);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentException or OverflowException or InvalidOperationException)
        {
            return (null, DeltaFault.Malformed);
        }
    }

    private static TrafficDelta ReadDelta(byte[] message)
    {
        CodedInputStream input = new(message);
        TrafficDelta delta = new() { Site = "", Box = "", Run = 0, Sequence = 0, Tick = 0, Period = default, Length = default };
        List<LinkDelta> links = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        long format = 0;
        int cells = 0;
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.Varint):
                    format = input.ReadInt64();
                    if (format != DeltaCodec.Format)
                    {
                        throw new FaultException(DeltaFault.UnknownFormat);
                    }

                    break;
                case (2, WireFormat.WireType.LengthDelimited):
                    delta = delta with { Site = Text(input) };
                    break;
                case (3, WireFormat.WireType.LengthDelimited):
                    delta = delta with { Box = Text(input) };
                    break;
                case (4, WireFormat.WireType.Varint):
                    delta = delta with { Run = NotNegative(input) };
                    break;
                case (5, WireFormat.WireType.Varint):
                    delta = delta with { Sequence = Positive(input) };
                    break;
                case (6, WireFormat.WireType.Varint):
                    delta = delta with { Tick = Positive(input) };
                    break;
                case (7, WireFormat.WireType.Varint):
                    delta = delta with { Period = TimeSpan.FromTicks(Positive(input)) };
                    break;
                case (8, WireFormat.WireType.Varint):
                    delta = delta with { Length = TimeSpan.FromTicks(Positive(input)) };
                    break;
                case (9, WireFormat.WireType.LengthDelimited):
                    delta = delta with { ConfigHash = Text(input) };
                    break;
                case (10, WireFormat.WireType.LengthDelimited):
                    delta = delta with { Counters = ReadCounters(input.ReadBytes().CreateCodedInput()) };
                    break;
                case (11, WireFormat.WireType.LengthDelimited):
                    delta = delta with { Health = ReadHealth(input.ReadBytes().CreateCodedInput()) };
                    break;
                case (12, WireFormat.WireType.LengthDelimited):
                    LinkDelta link = ReadLink(input.ReadBytes().CreateCodedInput(), DeltaCodec.MaxCells - cells);
                    cells += link.Prefixes.Count;
                    if (!names.Add(link.Link))
                    {
                        throw new FaultException(DeltaFault.Inconsistent);
                    }

                    if (links.Count == DeltaCodec.MaxLinks)
                    {
                        throw new FaultException(DeltaFault.TooLarge);
                    }

                    links.Add(link);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return format == 0 ? throw new FaultException(DeltaFault.UnknownFormat)
            : delta.Period <= TimeSpan.Zero || delta.Sequence == 0 || delta.Run == 0 ? throw new FaultException(DeltaFault.BadValue)
            : delta with { Links = links };
    }

    private static CollectorCounters ReadCounters(CodedInputStream input)
    {
        const int Fields = 11;
        long[] values = new long[Fields + 1];
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.Varint && WireFormat.GetTagFieldNumber(tag) is var field and <= Fields)
            {
                values[field] = Positive(input);
            }
            else
            {
                input.SkipLastField();
            }
        }

        return new CollectorCounters
        {
            Frames = values[1],
            Packets = values[2],
            IpBytes = values[3],
            NonIp = values[4],
            Ignored = values[5],
            Undecodable = values[6],
            PoolExhausted = values[7],
            KernelDropped = values[8],
            UnroutedPackets = values[9],
            UnroutedIpBytes = values[10],
            DeltasDropped = values[11],
        };
    }

    private static CollectorHealth ReadHealth(CodedInputStream input)
    {
        CollectorHealth health = new();
        List<string> problems = [];
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.Varint):
                    health = health with { TableComplete = input.ReadInt64() != 0 };
                    break;
                case (2, WireFormat.WireType.Varint):
                    health = health with { Prefixes = Positive(input) };
                    break;
                case (3, WireFormat.WireType.Fixed64):
                    health = health with { LossRatio = Between(input.ReadDouble(), 0, 1) };
                    break;
                case (4, WireFormat.WireType.Varint):
                    health = health with { CaptureAge = TimeSpan.FromTicks(Positive(input)) };
                    break;
                case (5, WireFormat.WireType.LengthDelimited):
                    if (problems.Count == DeltaCodec.MaxProblems)
                    {
                        throw new FaultException(DeltaFault.TooLarge);
                    }

                    problems.Add(Text(input));
                    break;
                case (6, WireFormat.WireType.LengthDelimited):
                    health = health with { Version = Text(input) };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return health with { Problems = problems };
    }

    private static LinkDelta ReadLink(CodedInputStream input, int room)
    {
        string name = "";
        double sampling = 1;
        bool unrouted = false;
        List<ulong> ipv4 = [], ipv6 = [], lows = [];
        List<long> packets = [], bytes = [];
        byte[] lengths4 = [], lengths6 = [];
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.LengthDelimited):
                    name = Text(input);
                    break;
                case (2, WireFormat.WireType.Fixed64):
                    sampling = input.ReadDouble() is var given && given == 0 ? 1 : Between(given, 1, uint.MaxValue);
                    break;
                case (3, WireFormat.WireType.Varint):
                    unrouted = input.ReadInt64() != 0;
                    break;
                case (4, WireFormat.WireType.LengthDelimited):
                    Column(input, ipv4, room, inner => inner.ReadUInt32());
                    break;
                case (5, WireFormat.WireType.LengthDelimited):
                    lengths4 = input.ReadBytes().ToByteArray();
                    break;
                case (6, WireFormat.WireType.LengthDelimited):
                    Column(input, ipv6, room, inner => inner.ReadUInt64());
                    break;
                case (7, WireFormat.WireType.LengthDelimited):
                    Column(input, lows, room, inner => inner.ReadUInt64());
                    break;
                case (8, WireFormat.WireType.LengthDelimited):
                    lengths6 = input.ReadBytes().ToByteArray();
                    break;
                case (9, WireFormat.WireType.LengthDelimited):
                    Column(input, packets, room, Positive);
                    break;
                case (10, WireFormat.WireType.LengthDelimited):
                    Column(input, bytes, room, Positive);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        int count = (unrouted ? 1 : 0) + ipv4.Count + ipv6.Count;
        if (count > room)
        {
            throw new FaultException(DeltaFault.TooLarge);
        }

        if (lengths4.Length != ipv4.Count || lengths6.Length != ipv6.Count || (lows.Count != 0 && lows.Count != ipv6.Count) || packets.Count != count || bytes.Count != count)
        {
            throw new FaultException(DeltaFault.Inconsistent);
        }

        IpPrefix[] prefixes = new IpPrefix[count];
        int at = unrouted ? 1 : 0;
        ulong address = 0;
        for (int i = 0; i < ipv4.Count; i++)
        {
            address += ipv4[i];
            prefixes[at++] = address <= uint.MaxValue ? Prefix(IpAddr.FromIPv4((uint)address), lengths4[i]) : throw new FaultException(DeltaFault.BadPrefix);
        }

        ulong high = 0;
        for (int i = 0; i < ipv6.Count; i++)
        {
            high = ulong.MaxValue - high >= ipv6[i] ? high + ipv6[i] : throw new FaultException(DeltaFault.BadPrefix);
            prefixes[at++] = Prefix(IpAddr.FromIPv6(high, lows.Count > 0 ? lows[i] : 0), lengths6[i]);
        }

        for (int i = 1; i < count; i++)
        {
            if (prefixes[i].CompareTo(prefixes[i - 1]) <= 0)
            {
                throw new FaultException(DeltaFault.BadPrefix);
            }
        }

        return new LinkDelta { Link = name, Prefixes = prefixes, Packets = packets.ToArray(), IpBytes = bytes.ToArray(), Sampling = sampling };
    }

    private static void Column<T>(CodedInputStream input, List<T> values, int room, Func<CodedInputStream, T> read)
    {
        ByteString octets = input.ReadBytes();
        CodedInputStream inner = octets.CreateCodedInput();
        values.EnsureCapacity(Math.Min(octets.Length, 1024));
        while (!inner.IsAtEnd)
        {
            if (values.Count > room)
            {
                throw new FaultException(DeltaFault.TooLarge);
            }

            values.Add(read(inner));
        }
    }

    private static IpPrefix Prefix(IpAddr address, byte length) => length <= address.BitLength && IpPrefix.Mask(address, length) == address
        ? IpPrefix.Create(address, length) : throw new FaultException(DeltaFault.BadPrefix);

    private static long Positive(CodedInputStream input) => input.ReadInt64() is var value and >= 0 and <= MaxCount ? value : throw new FaultException(DeltaFault.BadValue);

    private static long NotNegative(CodedInputStream input) => input.ReadInt64() is var value and >= 0 ? value : throw new FaultException(DeltaFault.BadValue);

    private static double Between(double value, double least, double most) => value >= least && value <= most ? value : throw new FaultException(DeltaFault.BadValue);

    private static string Text(CodedInputStream input)
    {
        string text = input.ReadString();
        return text.Length <= DeltaCodec.MaxText ? text : throw new FaultException(DeltaFault.TooLarge);
    }

    /// <summary>Never leaves this class.</summary>
    private sealed class FaultException(DeltaFault fault) : Exception
    {
        public DeltaFault Fault => fault;
    }
}
