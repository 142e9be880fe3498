using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Traffic;

/// <summary>What a capture file is to hold.</summary>
/// <param name="Name">File name without extension.</param>
/// <param name="Packets">IP packets.</param>
/// <param name="Flows">Flows they are drawn from.</param>
/// <param name="IPv6Share">Share of IPv6 packets, 0 to 1.</param>
internal sealed record TrafficMix(string Name, int Packets, int Flows, double IPv6Share)
{
    /// <summary>Share of packets with an 802.1Q tag.</summary>
    public const double TaggedShare = 0.2;

    /// <summary>Share of flows to addresses outside every prefix.</summary>
    public const double UnroutedShare = 0.002;

    /// <summary>An ARP frame after so many IP packets.</summary>
    public const int PacketsPerArp = 1000;

    /// <summary>The links that packets leave by, by the provider router's MAC, as the lab of the system tests has them.</summary>
    public static IReadOnlyList<(string Name, ulong Mac)> Links { get; } =
        [("isp-a", 0x0200_0000_0A02), ("isp-b", 0x0200_0000_0B02), ("isp-c", 0x0200_0000_0C02), ("isp-d", 0x0200_0000_0D02)];

    /// <summary>The mixes of one comparison: mixed, IPv4 only, IPv6 only; each also short, with fewer flows, for programs that are much slower.</summary>
    /// <param name="packets">Packets of a full file.</param>
    public static IReadOnlyList<TrafficMix> All(int packets) =>
    [
        new("mixed", packets, packets / 5, 0.1),
        new("ipv4", packets, packets / 5, 0),
        new("ipv6", packets, packets / 5, 1),
        new("mixed-short", packets / 5, packets / 25, 0.1),
        new("ipv4-short", packets / 5, packets / 25, 0),
        new("ipv6-short", packets / 5, packets / 25, 1),
    ];

    /// <summary>A MAC in the usual notation.</summary>
    public static string FormatMac(ulong mac) => new MacAddress(mac).ToString();
}
