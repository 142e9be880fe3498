using System.Text.Json;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Http.Access;

namespace EgressAppliance.Tests.Cli;

public sealed class TokenCommandTests : IDisposable
{
    private readonly CliRunner _cli = new();
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"egress-tokens-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task Token_add_prints_a_secret_that_the_file_knows_and_does_not_hold()
    {
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("token", "add", "alice", "--scope", "operate", "--expires", "90d", "--file", _file));
        string secret = _cli.Out.TrimEnd('\n');
        AccessToken token = Assert.Single(TokenFile.Read(_file).Tokens);
        Assert.Equal(("alice", AccessScope.Operate, new DateOnly(2026, 4, 2)), (token.Name, token.Scope, token.Expires));
        Assert.Equal(AccessToken.HashOf(secret), token.Hash.ToArray());
        Assert.DoesNotContain(secret, await File.ReadAllTextAsync(_file), StringComparison.Ordinal);

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("token", "add", "alice", "--scope", "read", "--file", _file));
        Assert.Contains("a token alice already", _cli.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("token", "list", "--file", _file, "--json"));
        using JsonDocument list = JsonDocument.Parse(_cli.Out);
        Assert.Equal("2026-04-02", list.RootElement[0].GetProperty("expires").GetString());
        Assert.False(list.RootElement[0].TryGetProperty("token", out _));

        Assert.Equal(ExitCode.Done, await _cli.RunAsync("token", "revoke", "alice", "--file", _file));
        Assert.Equal(ExitCode.Done, await _cli.RunAsync("token", "list", "--file", _file));
        Assert.Equal("No token: no remote caller gets in.\n", _cli.Out);
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("token", "revoke", "alice", "--file", _file));
    }

    [Theory]
    [InlineData("token add alice")]
    [InlineData("token add alice --scope admin")]
    [InlineData("token add a:b --scope read")]
    [InlineData("token add alice --scope read --expires 1h")]
    [InlineData("token revoke")]
    public async Task Wrong_usage_is_told(string line)
    {
        Assert.Equal(ExitCode.Usage, await _cli.RunAsync([.. line.Split(' '), "--file", _file]));
        Assert.False(File.Exists(_file));
    }

    [Fact]
    public async Task Token_list_tells_lines_that_give_no_access()
    {
        await File.WriteAllTextAsync(_file, "alice read\n");
        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("token", "list", "--file", _file));
        Assert.Contains("line 1:", _cli.Error, StringComparison.Ordinal);
    }
}
