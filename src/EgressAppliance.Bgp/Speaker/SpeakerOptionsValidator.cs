using EgressAppliance.Bgp.Session;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>Checks speaker options against the protocol's limits, so that wrong ones are told at start and not by a router.</summary>
internal static class SpeakerOptionsValidator
{
    private static readonly TimeSpan MinHoldTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan MaxHoldTime = TimeSpan.FromSeconds(ushort.MaxValue);

    /// <summary>Throws if an option cannot be used.</summary>
    /// <exception cref="ArgumentException">Which and why.</exception>
    public static void ThrowIfInvalid(BgpSpeakerOptions options)
    {
        Require(options.RouterId != 0, "the router id must not be 0");
        Require(options.MaxOverrides >= 0, "MaxOverrides must not be negative");
        Require(options.MaxAnnouncementsPerSecond >= 0, "MaxAnnouncementsPerSecond must not be negative");
        Require(options.RefreshInterval >= TimeSpan.Zero, "RefreshInterval must not be negative");
        Require(options.Peers.Count <= ushort.MaxValue, "too many peers");
        var seen = new HashSet<(string, int)>();
        foreach (BgpPeerOptions peer in options.Peers)
        {
            string name = peer.Name;
            Require(seen.Add((peer.RemoteAddress.ToString(), peer.RemotePort)), $"{name}: another peer has the same address and port");
            Require(
                peer.LocalAddress is null || peer.LocalAddress.AddressFamily == peer.RemoteAddress.AddressFamily,
                $"{name}: the local address must be of the same family as the router's");
            Require(peer.LocalAs != 0 && peer.PeerAs != 0, $"{name}: AS 0 is reserved (RFC 7607)");
            Require(
                peer.HoldTime == TimeSpan.Zero || (peer.HoldTime >= MinHoldTime && peer.HoldTime <= MaxHoldTime),
                $"{name}: the hold time must be 0 or 3 to 65535 s (RFC 4271 section 4.2)");
            Require(peer.ConnectRetry > TimeSpan.Zero, $"{name}: the connect retry time must be positive");
            Require(peer.SendHoldTime > TimeSpan.Zero, $"{name}: the send hold time must be positive");
            Require(peer.UnacknowledgedTimeout is null || (peer.UnacknowledgedTimeout >= TimeSpan.FromMilliseconds(1) && peer.UnacknowledgedTimeout <= MaxHoldTime), $"{name}: the time without acknowledgement must be 1 ms to 65535 s");
            Require(peer.OutboundLimit >= 1 << 16, $"{name}: the outbound limit must be at least 64 KiB");
            Require(
                peer.OutboundLowMark >= 0 && peer.OutboundLowMark < peer.OutboundHighMark && peer.OutboundHighMark <= peer.OutboundLimit / 2,
                $"{name}: the outbound low mark must be below the high mark, and that not above half of the limit");
            Require(peer.MaxPrefix >= 0, $"{name}: the limit on prefixes must not be negative");
            Require(peer.MaxPrefixWarning is > 0 and <= 1, $"{name}: the prefix limit's warning is a share, above 0 and up to 1");
            Require(peer.PeerAcceptsAtMost is null or >= 0, $"{name}: what the router accepts must not be negative");
            Require(peer.Families.Count > 0, $"{name}: no address family");
            Require(peer.Password is null || TcpMd5.IsValid(peer.Password), $"{name}: a TCP MD5 key has 1 to 80 octets");
        }
    }

    private static void Require(bool good, string text)
    {
        if (!good)
        {
            throw new ArgumentException(text);
        }
    }
}
