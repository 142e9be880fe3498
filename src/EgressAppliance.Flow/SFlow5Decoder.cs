using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>
/// sFlow version 5 (sflow_version_5.txt, section 5). Of flow samples it takes the raw packet header; counter samples and other records are skipped and
/// counted. The IP header is found by the decoder that also reads captured frames.
/// </summary>
internal static class SFlow5Decoder
{
    private const int ReorderWindow = 64;
    private const uint FlowSample = 1;
    private const uint CounterSample = 2;
    private const uint ExpandedFlowSample = 3;
    private const uint ExpandedCounterSample = 4;
    private const uint RawPacketHeader = 1;

    public static void Decode(ReadOnlySpan<byte> datagram, FlowOutput output)
    {
        var r = new FlowReader(datagram);
        if (r.UInt32() != 5)
        {
            output.Refuse(FlowStatus.UnsupportedVersion);
            return;
        }

        uint addressType = r.UInt32();
        if (addressType is not (1 or 2))
        {
            output.Refuse(r.Failed ? FlowStatus.Truncated : FlowStatus.BadLength);
            return;
        }

        ReadOnlySpan<byte> address = r.Take(addressType == 1 ? 4u : 16u);
        uint subAgent = r.UInt32();
        uint sequence = r.UInt32();
        uint uptime = r.UInt32();
        uint samples = r.UInt32();
        if (r.Failed)
        {
            output.Refuse(FlowStatus.Truncated);
            return;
        }

        IpAddr agent = IpAddr.FromBytes(address);
        output.Decoder.Observe(new(FlowProtocol.SFlow5, agent, subAgent, null, output.Port), ReorderWindow, sequence, 1, uptime);
        for (uint i = 0; i < samples; i++)
        {
            uint format = r.UInt32();
            uint length = r.UInt32();
            ReadOnlySpan<byte> sample = r.Take(length);
            if (r.Failed)
            {
                output.Refuse(FlowStatus.Truncated);
                return;
            }

            switch (format)
            {
                case FlowSample or ExpandedFlowSample:
                    DecodeSample(sample, format == ExpandedFlowSample, agent, subAgent, uptime, output);
                    break;
                case CounterSample or ExpandedCounterSample:
                    output.Statistics.CounterSamples++;
                    break;
                default:
                    output.Refuse(FlowStatus.UnsupportedSample);
                    break;
            }
        }

        if (r.Remaining != 0)
        {
            output.Refuse(FlowStatus.BadLength);
        }
    }

    private static void DecodeSample(ReadOnlySpan<byte> sample, bool expanded, IpAddr agent, uint subAgent, uint uptime, FlowOutput output)
    {
        var r = new FlowReader(sample);
        uint sequence = r.UInt32();
        uint sourceType = expanded ? r.UInt32() : 0;
        uint sourceIndex = r.UInt32();
        if (!expanded)
        {
            sourceType = sourceIndex >> 24;
            sourceIndex &= 0x00FF_FFFF;
        }

        uint rate = r.UInt32();
        // Sample pool and drops say how the agent keeps up; the sequence says what did not come.
        r.Take(8);
        uint input = Interface(ref r, expanded);
        uint outputInterface = Interface(ref r, expanded);
        uint records = r.UInt32();
        // Each record has at least its format and length.
        if (r.Failed || records > r.Remaining / 8)
        {
            output.Refuse(r.Failed ? FlowStatus.Truncated : FlowStatus.BadLength);
            return;
        }

        output.Decoder.Observe(new(FlowProtocol.SFlow5, agent, subAgent, (ulong)sourceType << 32 | sourceIndex, output.Port), ReorderWindow, sequence, 1, uptime);
        bool found = false;
        for (uint i = 0; i < records; i++)
        {
            uint format = r.UInt32();
            uint length = r.UInt32();
            ReadOnlySpan<byte> record = r.Take(length);
            if (r.Failed)
            {
                output.Refuse(FlowStatus.Truncated);
                return;
            }

            if (format != RawPacketHeader || found)
            {
                output.Statistics.SkippedRecords++;
            }
            else if (TryHeader(record, out IpAddr destination, out uint bytes))
            {
                found = true;
                output.Add(new FlowRecord
                {
                    Protocol = FlowProtocol.SFlow5,
                    Exporter = agent,
                    Domain = subAgent,
                    Destination = destination,
                    Bytes = bytes,
                    Packets = 1,
                    InputInterface = input,
                    OutputInterface = outputInterface,
                    SamplingInterval = rate,
                });
            }
        }

        if (!found)
        {
            output.Refuse(FlowStatus.NoDestination);
        }
    }

    /// <summary>An ifIndex. Format 0 is one interface; 1 is a discarded packet and 2 several interfaces. The largest value means the device itself.</summary>
    private static uint Interface(ref FlowReader r, bool expanded)
    {
        const uint Internal = 0x3FFF_FFFF;
        uint value = r.UInt32();
        uint format = expanded ? value : value >> 30;
        value = expanded ? r.UInt32() : value & Internal;
        return format != 0 || value == Internal ? 0 : value;
    }

    private static bool TryHeader(ReadOnlySpan<byte> record, out IpAddr destination, out uint bytes)
    {
        var r = new FlowReader(record);
        uint protocol = r.UInt32();
        uint frameLength = r.UInt32();
        r.UInt32();
        uint length = r.UInt32();
        ReadOnlySpan<byte> header = r.Take(length);
        // header_protocol: 1 Ethernet, 7 PPP, 11 IPv4, 12 IPv6.
        LinkLayerType? link = protocol switch
        {
            1 => LinkLayerType.Ethernet,
            7 => LinkLayerType.Ppp,
            11 => LinkLayerType.RawIPv4,
            12 => LinkLayerType.RawIPv6,
            _ => null,
        };
        destination = default;
        bytes = 0;
        if (r.Failed || link is null)
        {
            return false;
        }

        int wire = (int)Math.Clamp(frameLength, (uint)header.Length, int.MaxValue);
        DecodeStatus status = FrameDecoder.Decode(header, new FrameHeader(0, header.Length, wire, 0, false, link.Value), out PacketFields fields);
        destination = status switch
        {
            DecodeStatus.IPv4 => IpAddr.FromIPv4(fields.DestinationIPv4),
            DecodeStatus.IPv6 => IpAddr.FromIPv6(fields.DestinationHigh, fields.DestinationLow),
            _ => default,
        };
        bytes = fields.IpBytes;
        return !destination.IsDefault;
    }
}
