using EgressAppliance.Net;

namespace EgressAppliance.Tests.Flow;

/// <summary>A flow for <see cref="FlowDatagrams"/>.</summary>
/// <param name="Destination">Destination, IPv4.</param>
/// <param name="Output">Output ifIndex.</param>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes.</param>
/// <param name="Milliseconds">Duration.</param>
/// <param name="NextHop">IP next hop, IPv4, or null.</param>
internal sealed record ExportedFlow(string Destination, int Output, uint Packets, uint Bytes, int Milliseconds = 0, string? NextHop = null);

/// <summary>Datagrams as exporters send them.</summary>
internal static class FlowDatagrams
{
    /// <summary>NetFlow 5, exported an hour after the exporter's start.</summary>
    public static byte[] NetFlow5(uint sequence, int sampling, params ExportedFlow[] flows)
    {
        const long Uptime = 3_600_000;
        DatagramWriter w = new DatagramWriter().U16(5).U16(flows.Length).U32(Uptime).U32(1_700_000_000).U32(0).U32(sequence).U16(0).U16(sampling);
        foreach (ExportedFlow f in flows)
        {
            w.U32(0xC6336402).U32(Address(f.Destination)).U32(f.NextHop is null ? 0 : Address(f.NextHop)).U16(1).U16(f.Output).U32(f.Packets).U32(f.Bytes)
                .U32(Uptime - f.Milliseconds).U32(Uptime).U16(1024).U16(9).U16(0).U8(17).U8(0).U16(0).U16(0).U16(0).U16(0);
        }

        return w.ToArray();
    }

    /// <summary>IPFIX: a template without times, and one record of it.</summary>
    public static byte[] IpfixWithoutTimes(uint sequence, ExportedFlow flow) => new DatagramWriter().U16(10).U16(0).U32(1_700_000_000).U32(sequence).U32(7)
        .Set(2, new DatagramWriter().U16(300).U16(4).U16(12).U16(4).U16(14).U16(4).U16(1).U16(4).U16(2).U16(4))
        .Set(300, new DatagramWriter().U32(Address(flow.Destination)).U32(flow.Output).U32(flow.Bytes).U32(flow.Packets)).ToIpfix();

    /// <summary>sFlow: one sampled packet, as IPv4 without a frame.</summary>
    public static byte[] SFlow(uint sequence, uint sampling, ExportedFlow flow)
    {
        byte[] header = new DatagramWriter().U16(0x4500).U16((int)flow.Bytes).U32(0).U16(0x4011).U16(0).U32(0xC6336402).U32(Address(flow.Destination)).ToArray();
        DatagramWriter raw = new DatagramWriter().U32(11).U32(flow.Bytes).U32(0).U32(header.Length).Bytes(header);
        DatagramWriter sample = new DatagramWriter().U32(sequence).U32(8).U32(sampling).U32(9).U32(0).U32(1).U32(flow.Output).U32(1).U32(1).U32(raw.Length).Bytes(raw.ToArray());
        return new DatagramWriter().U32(5).U32(1).U32(0xC0000201).U32(0).U32(sequence).U32(1000).U32(1).U32(1).U32(sample.Length).Bytes(sample.ToArray()).ToArray();
    }

    private static uint Address(string text) => IpAddr.Parse(text, null).IPv4Value;
}
