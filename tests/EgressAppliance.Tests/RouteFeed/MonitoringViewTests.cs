using System.Net;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;
using EgressAppliance.Tests.Steering;

namespace EgressAppliance.Tests.RouteFeed;

/// <summary>Sessions as documents; those of BMP are in <c>Bgp/Speaker/MonitoringTests</c>, where there is a station.</summary>
public sealed class MonitoringViewTests
{
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Describe_gives_all_that_the_speaker_tells()
    {
        PeerStatus peer = new(
            "edge1", IPAddress.Parse("192.0.2.1"), SessionState.Established, Then, true, true, 2, 1, 3, 10, 20, 4, 5, "hold timer expired")
        {
            Negotiated = new(0xC0000201, true, TimeSpan.FromSeconds(9), [IpFamily.IPv4, IpFamily.IPv6], [IpFamily.IPv6], true, true, true, false),
            LastErrorTime = Then.AddSeconds(1),
            LastNotification = new(true, NotificationMessage.Shutdown("line card"), Then.AddSeconds(2)),
            NotificationsSent = 6,
            NotificationsReceived = 7,
            RefreshesSent = 8,
            RefreshesReceived = 9,
            RoutesIgnored = 11,
            Md5 = true,
            TtlSecurity = true,
            MaxPrefix = 4,
            MaxPrefixWarning = true,
            MaxPrefixOut = 500,
            OverridesWaiting = 12,
            Output = new(100, 1 << 20, 8 << 20, true),
        };

        BgpPeerDto dto = Assert.Single(new MonitoringView(null).Describe([peer]));

        Assert.Equal((Then.AddSeconds(1), true, true, 4, 0.75, true, 500, 12),
            (dto.LastErrorAt, dto.Md5, dto.TtlSecurity, dto.MaxPrefix, dto.MaxPrefixRatio, dto.MaxPrefixWarning, dto.MaxPrefixOut, dto.OverridesWaiting));
        Assert.Equal(new BgpNotificationDto("received", 6, 2, "6/2 Cease, Administrative Shutdown: \"line card\"", "line card", Then.AddSeconds(2)), dto.LastNotification);
        Assert.Equal(("ibgp", "192.0.2.1", 9.0, 3.0), (dto.Negotiated!.Type, dto.Negotiated.RouterId, dto.Negotiated.HoldTimeSeconds, dto.Negotiated.KeepaliveSeconds));
        Assert.Equal(["ipv4", "ipv6"], dto.Negotiated.Families);
        Assert.Equal(["add-path-ipv6", "route-refresh", "4-octet-as", "extended-message"], dto.Negotiated.Capabilities);
        Assert.Equal(new BgpOutputDto(100, 1 << 20, 8 << 20, true), dto.Output);
        Assert.Equal(new BgpCountersDto(4, 10, 20, 5, 11, 8, 9, 6, 7), dto.Counters);
    }

    [Fact]
    public void Describe_of_a_hard_reset_gives_the_text_within_it()
    {
        NotificationMessage inner = NotificationMessage.Shutdown("moving");
        NotificationMessage hard = new(BgpErrorCode.Cease, CeaseSubcode.HardReset, new byte[] { inner.Code, inner.Subcode }.Concat(inner.Data.ToArray()).ToArray());
        PeerStatus peer = FakeSpeaker.MakePeer("edge1") with { LastNotification = new(false, hard, Then) };

        BgpNotificationDto last = Assert.Single(new MonitoringView(null).Describe([peer])).LastNotification!;

        Assert.Equal(("sent", 9, "moving"), (last.Direction, last.Subcode, last.Text));
    }

    [Fact]
    public void Describe_of_a_session_that_never_came_up_has_no_more_than_there_is()
    {
        PeerStatus peer = FakeSpeaker.MakePeer("edge1") with { State = SessionState.Active };
        BgpPeerDto dto = Assert.Single(new MonitoringView(null).Describe([peer]));
        Assert.Null(dto.Negotiated);
        Assert.Null(dto.LastNotification);
        Assert.Null(dto.Output);
        Assert.Null(dto.LastErrorAt);
        Assert.Null(dto.MaxPrefixOut);
    }
}
