using System.Text;
using EgressAppliance.Snmp;

namespace EgressAppliance.Tests.Snmp;

public class Sha224Tests
{
    // FIPS 180-4 examples and RFC 3874 section 3.
    [Theory]
    [InlineData("abc", 1, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525")]
    [InlineData("a", 1_000_000, "20794655980c91d8bbb4c1ea97618a4bf03f42581948b2ee4ee7ad67")]
    [InlineData("", 1, "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f")]
    public void HashData_published_example_gives_its_digest(string text, int times, string expected)
    {
        byte[] digest = new byte[Sha224.DigestBytes];
        Sha224.HashData(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, times))), digest);
        Assert.Equal(expected, Convert.ToHexStringLower(digest));
    }

    /// <summary>The digest over the digests of 0, 1, … 299 octets, which pass every place in a block; the expected value is of Python's hashlib.</summary>
    [Fact]
    public void HashData_every_length_agrees_with_another_implementation()
    {
        byte[] all = new byte[300 * Sha224.DigestBytes];
        byte[] data = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];
        for (int length = 0; length < 300; length++)
        {
            Sha224.HashData(data.AsSpan(0, length), all.AsSpan(length * Sha224.DigestBytes));
        }

        byte[] digest = new byte[Sha224.DigestBytes];
        Sha224.HashData(all, digest);
        Assert.Equal("aea0c674dc72b769fd3d469115eb75a7679cb9bc427bbc9fe724f08e", Convert.ToHexStringLower(digest));
    }

    // RFC 4231 sections 4.2, 4.3 and 4.7 (a key longer than a block).
    [Theory]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There", "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22")]
    [InlineData("4a656665", "what do ya want for nothing?", "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44")]
    [InlineData("aa*131", "Test Using Larger Than Block-Size Key - Hash Key First", "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e")]
    public void Hmac_published_example_gives_its_digest(string key, string text, string expected)
    {
        byte[] keyOctets = key == "aa*131" ? [.. Enumerable.Repeat((byte)0xaa, 131)] : Convert.FromHexString(key);
        byte[] digest = new byte[Sha224.DigestBytes];
        Sha224.Hmac(keyOctets, Encoding.ASCII.GetBytes(text), digest);
        Assert.Equal(expected, Convert.ToHexStringLower(digest));
    }
}
