using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public class KeyLocalizationTests
{
    // RFC 3414 appendix A.3.1 and A.3.2; the SHA-2 rows with the same password and engine are of Python's hashlib.
    [Theory]
    [InlineData(AuthenticationProtocol.HmacMd5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b")]
    [InlineData(AuthenticationProtocol.HmacSha1, "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f")]
    [InlineData(AuthenticationProtocol.HmacSha224, "282a5867ee9aac639ad59df9572c7d3ac0fbc13a905b6df07dbbf00b", "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674")]
    [InlineData(
        AuthenticationProtocol.HmacSha256, "ab51014d1e077f6017df2b12bee5f5aa72993177e9bb569c4dff5a4ca0b4afac",
        "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b")]
    [InlineData(
        AuthenticationProtocol.HmacSha384, "e06eccdf2c68a06ed034723c9c26e0db3b669e1e2efed49150b55377a2e98f383c86fb836857444654b287c93f51ff64",
        "3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba78")]
    [InlineData(
        AuthenticationProtocol.HmacSha512,
        "7e4396de5aadc77be853819b98c9406265b3a9c37cc3176569847a4e4f6fba63dd3a73d04924d31a63f95a601f9385af6be4ed1b37f87d040f7c6ed6f8d38a91",
        "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd544047c9021e4229ce27e4c0a69250adfcffbb0b")]
    public void Localize_maplesyrup_gives_the_published_keys(AuthenticationProtocol protocol, string key, string localized)
    {
        byte[] made = KeyLocalization.PasswordToKey(protocol, "maplesyrup"u8);

        Assert.Equal(key, Convert.ToHexStringLower(made));
        Assert.Equal(localized, Convert.ToHexStringLower(KeyLocalization.Localize(protocol, made, Engine)));
    }

    // The third row is the first half of the example in draft-reeder-snmpv3-usm-3desede-00; the others are of Python's hashlib.
    [Theory]
    [InlineData(AuthenticationProtocol.HmacMd5, PrivacyProtocol.Aes256, "526f5eed9fcce26f8964c2930787d82bfa24a92467426c2f4b09192be10dfaec")]
    [InlineData(AuthenticationProtocol.HmacMd5, PrivacyProtocol.Aes256Reeder, "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12")]
    [InlineData(AuthenticationProtocol.HmacSha1, PrivacyProtocol.Aes256Reeder, "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c")]
    [InlineData(AuthenticationProtocol.HmacSha1, PrivacyProtocol.Aes192Reeder, "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78")]
    [InlineData(AuthenticationProtocol.HmacSha1, PrivacyProtocol.Aes256, "6695febc9288e36282235fc7151f128497b38f3f505e07eb9af25568fa1f5dbe")]
    [InlineData(AuthenticationProtocol.HmacSha1, PrivacyProtocol.Aes192, "6695febc9288e36282235fc7151f128497b38f3f505e07eb")]
    [InlineData(AuthenticationProtocol.HmacSha224, PrivacyProtocol.Aes256, "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674e82d9bf0")]
    [InlineData(AuthenticationProtocol.HmacSha512, PrivacyProtocol.Aes256, "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099")]
    [InlineData(AuthenticationProtocol.HmacSha1, PrivacyProtocol.Aes128, "6695febc9288e36282235fc7151f1284")]
    [InlineData(AuthenticationProtocol.HmacSha1, PrivacyProtocol.Des, "6695febc9288e36282235fc7151f1284")]
    public void LocalizePrivacyKey_is_made_as_long_as_the_cipher_wants(AuthenticationProtocol protocol, PrivacyProtocol privacy, string expected)
    {
        byte[] key = KeyLocalization.PasswordToKey(protocol, "maplesyrup"u8);

        Assert.Equal(expected, Convert.ToHexStringLower(KeyLocalization.LocalizePrivacyKey(protocol, privacy, key, Engine)));
    }

    /// <summary>NIST SP 800-38A, F.3.13: boots, time and salt of the message are the initialization vector (RFC 3826 section 3.1.2.1).</summary>
    [Theory]
    [InlineData("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51", "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b")]
    [InlineData("6bc1bee22e409f96e93d7e117393172aae2d8a", "3b3fd92eb72dad20333449f8e83cfb4ac8a645")]
    public void Encrypt_with_aes_gives_the_published_ciphertext(string plain, string cipher)
    {
        byte[] key = Convert.FromHexString("2b7e151628aed2a6abf7158809cf4f3c");
        byte[] salt = [8, 9, 10, 11, 12, 13, 14, 15];

        byte[] made = UsmCipher.Encrypt(PrivacyProtocol.Aes128, key, 0x00010203, 0x04050607, salt, Convert.FromHexString(plain));

        Assert.Equal(cipher, Convert.ToHexStringLower(made));
        Assert.Equal(plain, Convert.ToHexStringLower(UsmCipher.Decrypt(PrivacyProtocol.Aes128, key, 0x00010203, 0x04050607, salt, made)!));
    }

    [Fact]
    public void Decrypt_of_what_no_sender_makes_is_refused()
    {
        byte[] key = new byte[16];
        key[0] = 7;

        Assert.Null(UsmCipher.Decrypt(PrivacyProtocol.Des, key, 1, 1, new byte[8], new byte[9]));
        Assert.Null(UsmCipher.Decrypt(PrivacyProtocol.Des, key, 1, 1, new byte[7], new byte[8]));
        Assert.Null(UsmCipher.Decrypt(PrivacyProtocol.Aes128, key, 1, 1, new byte[9], new byte[8]));
        Assert.Null(UsmCipher.Decrypt(PrivacyProtocol.Aes128, key, 1, 1, new byte[8], []));
    }

    private static EngineId Engine => EngineId.TryParse("00:00:00:00:00:00:00:00:00:00:00:02", out EngineId engine) ? engine : default;
}
