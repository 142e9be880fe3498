using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Text;

namespace EgressAppliance.Tests.Bgp.Text;

public sealed class MrtJsonTests
{
    private const string Peers = "0a000001" + "0004" + "76696577" + "0001" + "02" + "0a000002" + "c0000201" + "0000fde9";

    [Theory]
    [InlineData(
        "0010" + "0004", "0000fde9" + "0000fdea" + "00030001" + "c0000201" + "c0000202" + "ffffffffffffffffffffffffffffffff001304",
        """{"time":"1970-01-12T13:46:40Z","type":"BGP4MP","subtype":"MESSAGE_AS4","peer":{"address":"192.0.2.1","as":65001},"local":{"address":"192.0.2.2","as":65002},"interface":3,"message":{"type":"KEEPALIVE"}}""")]
    [InlineData(
        "0011" + "0006", "0000007b" + "fde9fdea" + "00000001" + "c0000201" + "c0000202" + "ffffffffffffffffffffffffffffffff001304",
        """{"time":"1970-01-12T13:46:40.000123Z","type":"BGP4MP_ET","subtype":"MESSAGE_LOCAL","peer":{"address":"192.0.2.1","as":65001},"local":{"address":"192.0.2.2","as":65002},"interface":0,"from_collector":true,"message":{"type":"KEEPALIVE"}}""")]
    [InlineData(
        "0010" + "0000", "fde9fdea" + "00000001" + "c0000201" + "c0000202" + "00060001",
        """{"time":"1970-01-12T13:46:40Z","type":"BGP4MP","subtype":"STATE_CHANGE","peer":{"address":"192.0.2.1","as":65001},"local":{"address":"192.0.2.2","as":65002},"interface":0,"old_state":"Established","new_state":"Idle"}""")]
    [InlineData(
        "0005" + "0003", "fde9" + "c0000201" + "00030007",
        """{"time":"1970-01-12T13:46:40Z","type":"BGP","subtype":"STATE_CHANGE","peer":{"address":"192.0.2.1","as":65001},"interface":0,"old_state":"Active","new_state":"7"}""")]
    [InlineData(
        "000d" + "0001", Peers,
        """{"time":"1970-01-12T13:46:40Z","type":"TABLE_DUMP_V2","subtype":"PEER_INDEX_TABLE","collector":"10.0.0.1","view":"view","peers":[{"address":"192.0.2.1","as":65001,"router_id":"10.0.0.2"}]}""")]
    [InlineData(
        "000d" + "0002", "00000001" + "18cb0071" + "0001" + "0007" + "000f4240" + "0004" + "40010109",
        """{"time":"1970-01-12T13:46:40Z","type":"TABLE_DUMP_V2","subtype":"RIB_IPV4_UNICAST","sequence":1,"prefix":"203.0.113.0/24","paths":[{"unknown_peer":7,"originated":"1970-01-12T13:46:40Z","error":{"code":3,"subcode":6,"action":"treat-as-withdraw","text":"ORIGIN is 9"}}]}""")]
    [InlineData(
        "000d" + "0002", "00000001" + "18cb0071" + "0001",
        """{"time":"1970-01-12T13:46:40Z","type":"TABLE_DUMP_V2","subtype":"RIB_IPV4_UNICAST","sequence":1,"prefix":"203.0.113.0/24","paths":[],"error":{"text":"the record is shorter than its fields"}}""")]
    [InlineData("0030" + "0001", "0000", """{"time":"1970-01-12T13:46:40Z","type":"48","subtype":"1","skipped_octets":2}""")]
    [InlineData(
        "0010" + "0001", "0000",
        """{"time":"1970-01-12T13:46:40Z","type":"BGP4MP","subtype":"MESSAGE","error":{"text":"the record is shorter than its fields"}}""")]
    public void ToJson_of_each_kind(string types, string body, string expected) => Assert.Equal(expected, Assert.Single(ToJson(Record(types, body))));

    [Fact]
    public void ToJson_of_a_table_has_peers_identifiers_and_attributes()
    {
        string rib = "00000009" + "18cb0071" + "0001" + "0000" + "000f4240" + "00000007" + "0015" + "40010100" + "400206" + "02010000fc00" + "400304c0000209" + "00";
        Assert.Equal(
            """{"time":"1970-01-12T13:46:40Z","type":"TABLE_DUMP_V2","subtype":"RIB_IPV4_UNICAST_ADDPATH","sequence":9,"prefix":"203.0.113.0/24","paths":[{"peer":{"address":"192.0.2.1","as":65001},"path_id":7,"originated":"1970-01-12T13:46:40Z","attributes":{"origin":"igp","as_path":"64512","next_hop":"192.0.2.9"}}]}""",
            ToJson(Record("000d0001", Peers) + Record("000d0008", rib.Replace("0015", "0014", StringComparison.Ordinal)[..^2]))[1]);
    }

    private static string Record(string types, string body) => $"000f4240{types}{body.Length / 2:x8}{body}";

    private static List<string> ToJson(string hex) => [.. new MrtRecordReader(new MemoryStream(Convert.FromHexString(hex))).Read().Select(MrtJson.ToJson)];
}
