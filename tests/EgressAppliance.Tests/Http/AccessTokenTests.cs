using EgressAppliance.Host.Http.Access;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Http;

public sealed class AccessTokenTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"egress-tokens-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Create_line_and_back_keep_everything_but_the_secret()
    {
        (AccessToken token, string secret) = AccessToken.Create("alice@noc", AccessScope.Operate, new DateOnly(2027, 1, 31));
        string line = token.ToLine();
        AccessToken read = AccessToken.Parse(line, out string problem)!;
        Assert.Equal(("", "alice@noc", AccessScope.Operate, new DateOnly(2027, 1, 31)), (problem, read.Name, read.Scope, read.Expires));
        Assert.Equal(AccessToken.HashOf(secret), read.Hash.ToArray());
        Assert.DoesNotContain(secret, line, StringComparison.Ordinal);
        Assert.Matches("^egress_[A-Za-z0-9_-]{43}$", secret);
        Assert.NotEqual(secret, AccessToken.Create("alice@noc", AccessScope.Operate, null).Secret);
    }

    [Theory]
    [InlineData("alice", "not 'name scope")]
    [InlineData("alice read", "not 'name scope")]
    [InlineData("al:ice read sha256:00", "name may have")]
    [InlineData("alice admin sha256:00", "neither read nor operate")]
    [InlineData("alice read 00", "64 hexadecimal")]
    [InlineData("alice read sha256:00", "64 hexadecimal")]
    [InlineData("alice read sha256:zz11223344556677889900112233445566778899001122334455667788990011", "64 hexadecimal")]
    [InlineData("alice read sha256:0011223344556677889900112233445566778899001122334455667788990011 tomorrow", "day of expiry")]
    [InlineData("alice read egress_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "64 hexadecimal")]
    public void Line_that_is_no_token_gives_no_access_and_says_why_without_its_text(string line, string problem)
    {
        TokenFileContent content = TokenFile.Parse("# comment\n\n" + line + "\n");
        Assert.Empty(content.Tokens);
        string told = Assert.Single(content.Problems);
        Assert.StartsWith("line 3: ", told, StringComparison.Ordinal);
        Assert.Contains(problem, told, StringComparison.Ordinal);
        Assert.DoesNotContain("egress_", told, StringComparison.Ordinal);
    }

    [Fact]
    public void File_grows_and_shrinks_by_lines_and_keeps_its_comments()
    {
        (AccessToken alice, _) = AccessToken.Create("alice", AccessScope.Operate, null);
        (AccessToken bob, _) = AccessToken.Create("bob", AccessScope.Read, null);
        TokenFile.Append(_path, alice);
        File.AppendAllText(_path, "# for the night shift");
        TokenFile.Append(_path, bob);
        Assert.Equal(["alice", "bob"], TokenFile.Read(_path).Tokens.Select(t => t.Name));
        Assert.True(TokenFile.Remove(_path, "alice"));
        Assert.False(TokenFile.Remove(_path, "alice"));
        Assert.Equal(["bob"], TokenFile.Read(_path).Tokens.Select(t => t.Name));
        Assert.Contains("# for the night shift\n", File.ReadAllText(_path), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_path) & (UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite));
    }

    [Fact]
    public void Second_token_of_a_name_gives_no_access()
    {
        (AccessToken first, _) = AccessToken.Create("alice", AccessScope.Read, null);
        (AccessToken second, _) = AccessToken.Create("alice", AccessScope.Operate, null);
        TokenFileContent content = TokenFile.Parse(first.ToLine() + "\n" + second.ToLine());
        Assert.Equal(AccessScope.Read, Assert.Single(content.Tokens).Scope);
        Assert.Equal(["line 2: there is a token alice already"], content.Problems);
    }

    [Fact]
    public void Store_follows_the_file()
    {
        ManualTimeProvider time = new();
        List<string> told = [];
        TokenStore store = new(_path, time, told.Add);
        Assert.Single(told);
        (AccessToken token, string secret) = AccessToken.Create("alice", AccessScope.Operate, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime.AddDays(1)));
        TokenFile.Append(_path, token);
        Assert.Null(store.Find(secret));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("alice", store.Find(secret)?.Name);
        Assert.Null(store.Find(secret + "x"));
        time.Advance(TimeSpan.FromDays(1));
        Assert.Null(store.Find(secret));

        (AccessToken forever, string other) = AccessToken.Create("bob", AccessScope.Read, null);
        TokenFile.Append(_path, forever);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("bob", store.Find(other)?.Name);
        File.Delete(_path);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(store.Find(other));
        Assert.Equal(2, told.Count);
        Assert.Single(store.Problems);
    }
}
