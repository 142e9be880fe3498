using EgressAppliance.Host.Support;

namespace EgressAppliance.Tests.Support;

public sealed class SecretFilterTests
{
    [Theory]
    [InlineData("url: http://egress:hunter2@db.example.net:8123/", "url: http://(secret)@db.example.net:8123/")]
    [InlineData("clickhouse http://hunter2@db: 401", "clickhouse http://(secret)@db: 401")]
    [InlineData("Host=db;Username=egress;Password=hunter2;Database=x", "Host=db;Username=egress;Password=(secret);Database=x")]
    [InlineData("{\"password\": \"hunter2\", \"user\": \"x\"}", "{\"password\": (secret), \"user\": \"x\"}")]
    [InlineData("Authorization: Bearer hunter2", "Authorization: (secret)")]
    [InlineData("passphrase = hunter2", "passphrase = (secret)")]
    [InlineData("token egress_AAAAAAAAAAAAAAAAAAAAAAAAAAAA_- used", "token (secret) used")]
    [InlineData("a\n-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\nb", "a\n(secret)\nb")]
    [InlineData("a\n-----BEGIN PRIVATE KEY-----\nhunter2", "a\n(secret)")]
    [InlineData("http://u:p@ss@host/ and http://u:p/w@host", "http://(secret)@host/ and http://(secret)@host")]
    [InlineData("Authorization: ApiKey hunter2 hunter3", "Authorization: (secret)")]
    [InlineData("{\"password\": \"hun ter;\\\"2\", \"user\": 1}", "{\"password\": (secret), \"user\": 1}")]
    [InlineData("PGPASSWORD=hunter2 AWS_SECRET_ACCESS_KEY=hunter2 private_key='a b'", "PGPASSWORD=(secret) AWS_SECRET_ACCESS_KEY=(secret) private_key=(secret)")]
    [InlineData("md5: hunter2, community: hunter2", "md5: (secret), community: (secret)")]
    [InlineData("edge1: community s3cr3tcommunity refused", "edge1: community (secret) refused")]
    public void What_is_secret_is_taken_out(string text, string expected) => Assert.Equal(expected, new SecretFilter(["s3cr3tcommunity", "x"]).Clean(text));

    [Theory]
    [InlineData("marker_community: \"65000:666\"")]
    [InlineData("next hop 100.64.1.2, communities [64500:1, 64500:2]")]
    [InlineData("http://127.0.0.1:8080 is not an address")]
    [InlineData("tokens: 3 read, 1 operate")]
    [InlineData("{\"md5\":true,\"community\":\"64500:1\"}")]
    [InlineData("password_file: /etc/egress-appliance/md5")]
    [InlineData("mail noc@example.net")]
    public void What_is_not_secret_stays(string text) => Assert.Equal(text, new SecretFilter(["", "abc"]).Clean(text));

    [Fact]
    public void Configuration_is_shown_with_the_values_of_known_keys_only()
    {
        string shown = SecretFilter.CleanConfig("""
            # the community is hunter2
            version: 1
            password: hunter2
            links:
              - name: "isp-a"   # hunter2
                next_hops: [100.64.1.2, "2001:db8::2"]
                secret_thing: { deep: hunter2, list: [hunter2] }
                hunter: |
                  hunter2
                  hunter2
            community:hunter2: 1
            """);
        Assert.DoesNotContain("hunter2\n", shown, StringComparison.Ordinal);
        Assert.Equal(
            """
            # As on disk, without comments and without the values of unknown keys.
            version: 1
            "password": (unknown key, value left out)
            links:
              -
                name: "isp-a"
                next_hops:
                  - 100.64.1.2
                  - "2001:db8::2"
                "secret_thing": (unknown key, value left out)
                "hunter": (unknown key, value left out)
            "community": (unknown key, value left out)

            """, shown);
    }

    [Theory]
    [InlineData("a: [hunter2")]
    [InlineData("- hunter2")]
    [InlineData("hunter2")]
    [InlineData("")]
    public void Configuration_that_cannot_be_read_is_left_out(string text)
    {
        string shown = SecretFilter.CleanConfig(text);
        Assert.DoesNotContain("hunter2", shown, StringComparison.Ordinal);
        Assert.StartsWith("# ", shown, StringComparison.Ordinal);
    }
}
