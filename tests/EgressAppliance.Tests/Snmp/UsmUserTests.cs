using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public class UsmUserTests
{
    [Theory]
    [InlineData("", AuthenticationProtocol.None, null, PrivacyProtocol.None, null)]
    [InlineData("a-name-of-more-than-thirty-two-octets", AuthenticationProtocol.None, null, PrivacyProtocol.None, null)]
    [InlineData("u", AuthenticationProtocol.None, "authpass123", PrivacyProtocol.None, null)]
    [InlineData("u", AuthenticationProtocol.HmacSha256, null, PrivacyProtocol.None, null)]
    [InlineData("u", AuthenticationProtocol.HmacSha256, "short12", PrivacyProtocol.None, null)]
    [InlineData("u", AuthenticationProtocol.None, null, PrivacyProtocol.Aes128, "privpass123")]
    [InlineData("u", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.Aes128, null)]
    [InlineData("u", AuthenticationProtocol.HmacSha256, "authpass123", PrivacyProtocol.None, "privpass123")]
    public void Constructor_refuses_what_cannot_be(string name, AuthenticationProtocol auth, string? authPassword, PrivacyProtocol priv, string? privPassword)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new UsmUser(name, auth, authPassword, priv, privPassword));
        Assert.DoesNotContain("short12", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_shows_a_password_or_key()
    {
        using UsmUser user = new("edge", AuthenticationProtocol.HmacSha1, "s3cretauth", PrivacyProtocol.Aes128, "s3cretpriv");
        using LocalizedKeys keys = user.Localize(Engine());
        SnmpClientOptions options = new() { Agent = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 161), Credentials = user };

        string all = user + "\n" + keys + "\n" + options;

        Assert.Equal("user edge, AuthPriv (HmacSha1, Aes128)", user.ToString());
        Assert.DoesNotContain("s3cret", all, StringComparison.Ordinal);
    }

    /// <summary>What a disposed user makes is what zeros make: its keys are gone.</summary>
    [Fact]
    public void Dispose_overwrites_the_keys()
    {
        UsmUser user = new("edge", AuthenticationProtocol.HmacSha1, "s3cretauth");
        user.Dispose();
        using LocalizedKeys keys = user.Localize(Engine());
        using LocalizedKeys zeros = new(
            AuthenticationProtocol.HmacSha1, KeyLocalization.Localize(AuthenticationProtocol.HmacSha1, new byte[20], Engine()), PrivacyProtocol.None, []);
        byte[] one = new byte[12];
        byte[] other = new byte[12];
        keys.Sign("message"u8, one);
        zeros.Sign("message"u8, other);

        Assert.Equal(other, one);
    }

    [Theory]
    [InlineData("0x80001f88046c6162", true)]
    [InlineData("80:00:1F:88:04:6c", true)]
    [InlineData("80001f88", false)]
    [InlineData("80001f8", false)]
    [InlineData("0xnothex1234", false)]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", false)]
    [InlineData(null, false)]
    public void EngineId_TryParse_takes_5_to_32_octets(string? text, bool good)
    {
        Assert.Equal(good, EngineId.TryParse(text, out EngineId engine));
        Assert.Equal(good, engine.IsUsable);
    }

    [Fact]
    public void EngineClock_goes_forward_only_and_holds_the_window_of_150_seconds()
    {
        ManualTimeProvider time = new();
        EngineClock clock = new(time);

        Assert.Equal((0, 0), (clock.Boots, clock.Time));
        Assert.True(clock.Take(3, 1000));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((3, 1010), (clock.Boots, clock.Time));

        // Earlier than the last, within the window: taken, and the clock stays.
        Assert.True(clock.Take(3, 860));
        Assert.False(clock.Take(3, 859));
        Assert.Equal(1010, clock.Time);

        // Ahead, and after a restart.
        Assert.True(clock.Take(3, 5000));
        Assert.Equal(5000, clock.Time);
        Assert.True(clock.Take(4, 1));
        Assert.False(clock.Take(3, 6000));
        Assert.Equal((4, 1), (clock.Boots, clock.Time));
        Assert.False(clock.Take(EngineClock.LastBoots, 1));
    }

    private static EngineId Engine() => EngineId.TryParse("0x80001f8804", out EngineId engine) ? engine : default;
}
