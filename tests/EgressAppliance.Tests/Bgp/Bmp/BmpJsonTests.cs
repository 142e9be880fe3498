using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Bgp.Bmp;

public sealed class BmpJsonTests
{
    private const string Peer =
        """{"type":"global-instance","flags":0,"distinguisher":"0:0","address":"192.0.2.1","as":64501,"bgp_id":"10.0.0.1","timestamp":1700000000.000005""";

    private static readonly BmpPeerHeader A = BmpMaker.Peer("192.0.2.1", 64501);

    [Fact]
    public void Initiation_and_termination_have_their_information()
    {
        Assert.Equal(
            """{"type":"Initiation Message","information":[{"tlv":1,"name":"sys_descr","text":"a router"},{"tlv":2,"name":"sys_name","text":"edge1"}]}""",
            BmpJson.ToJson(BmpMaker.Initiation()));
        Assert.Equal(
            """{"type":"Termination Message","reason":3,"reason_name":"redundant connection","information":[{"tlv":1,"name":"reason","value":"0003"},{"tlv":0,"name":"string","text":"bye"}]}""",
            BmpJson.ToJson(BmpMaker.Termination(3, "bye")));
    }

    [Fact]
    public void Route_monitoring_has_table_and_update() => Assert.Equal(
        $$$"""{"type":"Route Monitoring","peer":{{{Peer}}},"table":"adj-rib-in-pre-policy"},"update":{"type":"UPDATE","withdrawn":[],"attributes":{"origin":"igp","as_path":"64501","next_hop":"192.0.2.9"},"nlri":[{"prefix":"10.0.0.0/8"}]}}""",
        BmpJson.ToJson(BmpMaker.Announce(A, "64501", "10.0.0.0/8")));

    [Fact]
    public void Peer_up_has_both_opens_and_tells_how_later_updates_are_read()
    {
        var decoder = new BmpTextDecoder();
        string up = decoder.ToJson(BmpMaker.PeerUp(A, BmpMaker.Open(65000, addPath: AddPathMode.Receive), BmpMaker.Open(64501, addPath: AddPathMode.Send)));
        Assert.StartsWith($$$"""{"type":"Peer Up Notification","peer":{{{Peer}}}},"local_address":"0.0.0.0","local_port":179,"remote_port":40000,"sent_open":{"type":"OPEN",""", up, StringComparison.Ordinal);
        Assert.Contains("""received_open":{"type":"OPEN","version":4,"my_as":64501""", up, StringComparison.Ordinal);

        UpdateMessage update = BmpMaker.Announcement("64501");
        update.Withdrawn.Add(new(IpPrefix.Parse("10.0.0.0/8"), 7));
        byte[] message = BmpMaker.Routes(A, update, new() { FourOctetAs = true, AddPathIPv4 = true });
        Assert.Contains("""withdrawn":[{"prefix":"10.0.0.0/8","path_id":7}]""", decoder.ToJson(message), StringComparison.Ordinal);
        Assert.DoesNotContain("path_id", BmpJson.ToJson(message), StringComparison.Ordinal);
    }

    [Fact]
    public void Peer_up_has_its_table_name_and_label()
    {
        string up = BmpJson.ToJson(BmpMaker.PeerUp(A, tlvs: [BmpMaker.Tlv(BmpTlv.TableName, "blue"), BmpMaker.Tlv(BmpTlv.AdminLabel, "transit")]));
        Assert.EndsWith("""[{"tlv":3,"name":"table_name","text":"blue"},{"tlv":4,"name":"admin_label","text":"transit"}]}""", up, StringComparison.Ordinal);
    }

    [Fact]
    public void Peer_down_statistics_and_mirroring_have_their_fields()
    {
        Assert.Equal(
            $$$"""{"type":"Peer Down Notification","peer":{{{Peer}}}},"reason":3,"reason_name":"the peer closed the session","notification":{"type":"NOTIFICATION","code":4,"subcode":0,"name":"4/0 Hold Timer Expired","data":""}}""",
            BmpJson.ToJson(BmpMaker.PeerDown(A, BmpPeerDownReason.RemoteNotification, BmpMaker.Octets(new NotificationMessage(4, 0).Encode))));
        Assert.Equal(
            $$$"""{"type":"Statistics Report","peer":{{{Peer}}}},"statistics":[{"type":9,"name":"routes in Adj-RIB-In","afi":2,"safi":1,"value":3},{"type":999,"name":"type 999"}]}""",
            BmpJson.ToJson(BmpMaker.Statistics(A, BmpMaker.Tlv(9, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 3), BmpMaker.Tlv(999, 1))));
        Assert.Equal(
            $$$"""{"type":"Route Mirroring Message","peer":{{{Peer}}},"table":"adj-rib-in-pre-policy"},"mirrored":[{"tlv":1,"information":1,"name":"messages lost"},{"type":"KEEPALIVE"}]}""",
            BmpJson.ToJson(BmpMaker.Message(BmpMessageType.RouteMirroring, BmpMaker.Header(A), BmpMaker.Tlv(1, 0, 1), BmpMaker.Tlv(0, BmpMaker.Octets(KeepaliveMessage.Encode)))));
    }

    [Theory]
    [InlineData("", """{"error":{"kind":"length","action":"connection-close","text":"the common header is truncated"}}""")]
    [InlineData("0200000006", """{"error":{"kind":"version","action":"connection-close","text":"version 2 is not supported, or this is not BMP"}}""")]
    [InlineData("0300000007040000", """{"type":"Initiation Message","error":{"kind":"length","action":"connection-close","text":"the header says 7 octets, 8 are there"}}""")]
    [InlineData("0300000006c8", """{"type":"200","error":{"kind":"message-type","action":"message-ignore","text":"message type 200 is not defined"}}""")]
    [InlineData("030000000700ff", """{"type":"Route Monitoring","error":{"kind":"truncated","action":"message-ignore","text":"the message ends within the per-peer header"}}""")]
    public void Errors_are_told_with_what_they_lead_to(string hex, string expected) =>
        Assert.Equal(expected, BmpJson.ToJson(Convert.FromHexString(hex)));
}
