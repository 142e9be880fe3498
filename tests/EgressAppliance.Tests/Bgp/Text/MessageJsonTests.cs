using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Tests.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Text;

public sealed class MessageJsonTests
{
    private static readonly BgpCodecOptions Modern = new() { FourOctetAs = true };

    [Theory]
    [InlineData("ffffffffffffffffffffffffffffffff001304", """{"type":"KEEPALIVE"}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff00330104fde9005a7f000001160214010400010001010400020001020041040000fde9",
        """{"type":"OPEN","version":4,"my_as":65001,"as":65001,"hold_time":90,"router_id":"127.0.0.1","capabilities":[{"code":1,"name":"multiprotocol","afi":1,"safi":1},{"code":1,"name":"multiprotocol","afi":2,"safi":1},{"code":2,"value":""},{"code":65,"name":"4-octet-as","as":65001}]}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff0044020000002940010100400206020100" + "00fde9400304c000020180040400000014400504000000c8c00804fde8029a18cb0071",
        """{"type":"UPDATE","withdrawn":[],"attributes":{"origin":"igp","as_path":"65001","next_hop":"192.0.2.1","med":20,"local_pref":200,"communities":["65000:666"]},"nlri":[{"prefix":"203.0.113.0/24"}]}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff001d0200000006800f03000201",
        """{"type":"UPDATE","end_of_rib":"ipv6-unicast","withdrawn":[],"attributes":{"mp_unreach":{"afi":2,"safi":1,"withdrawn":[]}},"nlri":[]}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff0015030602",
        """{"type":"NOTIFICATION","code":6,"subcode":2,"name":"6/2 Cease, Administrative Shutdown","data":""}""")]
    [InlineData("ffffffffffffffffffffffffffffffff00170500020001", """{"type":"ROUTE-REFRESH","afi":2,"subtype":0,"safi":1}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff00300200000015400102000040020602010000fde9400304c000020118cb0071",
        """{"type":"UPDATE","withdrawn":[],"attributes":{"origin":"igp","as_path":"65001","next_hop":"192.0.2.1"},"nlri":[{"prefix":"203.0.113.0/24"}],"error":{"code":3,"subcode":5,"action":"treat-as-withdraw","text":"ORIGIN has 2 octets"}}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff001702ffff0000",
        """{"type":"UPDATE","error":{"code":3,"subcode":1,"action":"session-reset","text":"the lengths of withdrawn routes and attributes exceed the message"}}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff0013",
        """{"error":{"code":1,"subcode":2,"action":"session-reset","text":"the header is truncated"}}""")]
    [InlineData(
        "ffffffffffffffffffffffffffffffff00130400",
        """{"type":"KEEPALIVE","error":{"code":1,"subcode":2,"action":"session-reset","text":"the header says 19 octets, 20 are there"}}""")]
    public void ToJson_gives_fields_or_error(string hex, string expected) =>
        Assert.Equal(expected, MessageJson.ToJson(Convert.FromHexString(hex), Modern));

    [Fact]
    public void ToJson_shows_path_identifiers_where_they_are_in_use()
    {
        const string Hex = "ffffffffffffffffffffffffffffffff004d0200" + "000036" + "900e001e00020110" + "20010db800ff00020000000000000002" + "00"
            + "0000000720200105b8" + "40010100" + "4002060201" + "0000fbf6" + "40050400000064";

        Assert.Equal(
            """{"type":"UPDATE","withdrawn":[],"attributes":{"origin":"igp","as_path":"64502","local_pref":100,"mp_reach":{"afi":2,"safi":1,"next_hop":"2001:db8:ff:2::2","nlri":[{"prefix":"2001:5b8::/32","path_id":7}]}},"nlri":[]}""",
            MessageJson.ToJson(Convert.FromHexString(Hex), Modern with { AddPathIPv6 = true }));
    }

    [Fact]
    public void ToJson_of_any_bytes_is_one_object() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            BgpCodecOptions options = make.Options();
            byte[] message = make.Mutate(make.Stream(1, options, []));
            using var parsed = System.Text.Json.JsonDocument.Parse(MessageJson.ToJson(message, options));
            Assert.Equal(System.Text.Json.JsonValueKind.Object, parsed.RootElement.ValueKind);
        }).QuickCheckThrowOnFailure();
}
