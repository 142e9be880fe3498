using EgressAppliance.Net;
using Google.Protobuf;

namespace EgressAppliance.Cluster.Deltas;

/// <summary>Writes deltas.</summary>
internal static class DeltaWriter
{
    /// <summary>Room for a cell of the usual kind; a stream that starts with it is seldom copied.</summary>
    private const int CellBytes = 14;

    public static byte[] Write(TrafficDelta delta)
    {
        using MemoryStream stream = new((delta.Links.Sum(l => l.Prefixes.Count) * CellBytes) + 1024);
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            Number(output, 1, DeltaCodec.Format);
            Text(output, 2, delta.Site);
            Text(output, 3, delta.Box);
            Number(output, 4, delta.Run);
            Number(output, 5, delta.Sequence);
            Number(output, 6, delta.Tick);
            Number(output, 7, delta.Period.Ticks);
            Number(output, 8, delta.Length.Ticks);
            Text(output, 9, delta.ConfigHash);
            Message(output, 10, inner => Write(inner, delta.Counters));
            Message(output, 11, inner => Write(inner, delta.Health));
            foreach (LinkDelta link in delta.Links)
            {
                Message(output, 12, inner => Write(inner, link), (link.Prefixes.Count * CellBytes) + 256);
            }
        }

        return stream.ToArray();
    }

    private static void Write(CodedOutputStream output, CollectorCounters counters)
    {
        Number(output, 1, counters.Frames);
        Number(output, 2, counters.Packets);
        Number(output, 3, counters.IpBytes);
        Number(output, 4, counters.NonIp);
        Number(output, 5, counters.Ignored);
        Number(output, 6, counters.Undecodable);
        Number(output, 7, counters.PoolExhausted);
        Number(output, 8, counters.KernelDropped);
        Number(output, 9, counters.UnroutedPackets);
        Number(output, 10, counters.UnroutedIpBytes);
        Number(output, 11, counters.DeltasDropped);
    }

    private static void Write(CodedOutputStream output, CollectorHealth health)
    {
        Number(output, 1, health.TableComplete ? 1 : 0);
        Number(output, 2, health.Prefixes);
        Real(output, 3, health.LossRatio);
        Number(output, 4, health.CaptureAge.Ticks);
        foreach (string problem in health.Problems.Take(DeltaCodec.MaxProblems))
        {
            // Empty ones as well: their number is the message.
            output.WriteTag(5, WireFormat.WireType.LengthDelimited);
            output.WriteString(Cut(problem));
        }

        Text(output, 6, health.Version);
    }

    private static void Write(CodedOutputStream output, LinkDelta link)
    {
        Text(output, 1, link.Link);
        Real(output, 2, link.Sampling == 1 ? 0 : link.Sampling);
        int unrouted = link.Prefixes.Count > 0 && link.Prefixes[0].IsDefault ? 1 : 0;
        int firstIPv6 = unrouted;
        while (firstIPv6 < link.Prefixes.Count && link.Prefixes[firstIPv6].Family == IpFamily.IPv4)
        {
            firstIPv6++;
        }

        Number(output, 3, unrouted);
        Column(output, 4, firstIPv6 - unrouted, (inner, count) =>
        {
            uint before = 0;
            for (int i = 0; i < count; i++)
            {
                uint address = link.Prefixes[unrouted + i].Address.IPv4Value;
                inner.WriteUInt32(address - before);
                before = address;
            }
        });
        Lengths(output, 5, link.Prefixes, unrouted, firstIPv6);
        int ipv6 = link.Prefixes.Count - firstIPv6;
        bool lows = false;
        Column(output, 6, ipv6, (inner, count) =>
        {
            ulong before = 0;
            for (int i = 0; i < count; i++)
            {
                IpAddr address = link.Prefixes[firstIPv6 + i].Address;
                inner.WriteUInt64(address.High - before);
                before = address.High;
                lows |= address.Low != 0;
            }
        });
        Column(output, 7, lows ? ipv6 : 0, (inner, count) =>
        {
            for (int i = 0; i < count; i++)
            {
                inner.WriteUInt64(link.Prefixes[firstIPv6 + i].Address.Low);
            }
        });
        Lengths(output, 8, link.Prefixes, firstIPv6, link.Prefixes.Count);
        Values(output, 9, link.Packets);
        Values(output, 10, link.IpBytes);
    }

    private static void Values(CodedOutputStream output, int field, IReadOnlyList<long> values) => Column(output, field, values.Count, (inner, count) =>
    {
        for (int i = 0; i < count; i++)
        {
            inner.WriteUInt64((ulong)values[i]);
        }
    });

    private static void Lengths(CodedOutputStream output, int field, IReadOnlyList<IpPrefix> prefixes, int from, int until)
    {
        if (until > from)
        {
            byte[] lengths = new byte[until - from];
            for (int i = 0; i < lengths.Length; i++)
            {
                lengths[i] = prefixes[from + i].Length;
            }

            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(UnsafeByteOperations.UnsafeWrap(lengths));
        }
    }

    private static void Column(CodedOutputStream output, int field, int count, Action<CodedOutputStream, int> write)
    {
        const int ValueBytes = 4;
        if (count > 0)
        {
            Message(output, field, inner => write(inner, count), count * ValueBytes);
        }
    }

    private static void Message(CodedOutputStream output, int field, Action<CodedOutputStream> write, int room = 256)
    {
        using MemoryStream stream = new(room);
        using (CodedOutputStream inner = new(stream, leaveOpen: true))
        {
            write(inner);
        }

        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(stream.GetBuffer().AsMemory(0, (int)stream.Length)));
    }

    private static void Number(CodedOutputStream output, int field, long value)
    {
        if (value != 0)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }
    }

    private static void Real(CodedOutputStream output, int field, double value)
    {
        if (value != 0)
        {
            output.WriteTag(field, WireFormat.WireType.Fixed64);
            output.WriteDouble(value);
        }
    }

    private static void Text(CodedOutputStream output, int field, string text)
    {
        if (text.Length > 0)
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteString(Cut(text));
        }
    }

    /// <summary>Not in the middle of a character that takes two.</summary>
    private static string Cut(string text) => text.Length <= DeltaCodec.MaxText ? text
        : text[..(char.IsHighSurrogate(text[DeltaCodec.MaxText - 1]) ? DeltaCodec.MaxText - 1 : DeltaCodec.MaxText)];
}
