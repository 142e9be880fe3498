using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http.Access;

namespace EgressAppliance.Host.Cli;

/// <summary><c>token add --json</c>: the only time that the secret is shown.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Scope"><c>read</c> or <c>operate</c>.</param>
/// <param name="Expires">First day on which it is not valid, or null.</param>
/// <param name="Token">The secret.</param>
public sealed record TokenReport(string Name, string Scope, DateOnly? Expires, string? Token);

/// <summary>The commands <c>token</c>: they write the tokens file, which a running appliance reads anew by itself.</summary>
internal sealed class TokenCommands(CommandConsole console, GlobalOptions global)
{
    private readonly Option<string> _file = new("--file") { Description = "The tokens file.", HelpName = "FILE", DefaultValueFactory = _ => TokenFile.DefaultPath };

    public Command Build() => new("token", "Tokens for remote access to the API.") { Add(), List(), Revoke() };

    private Command Add()
    {
        Argument<string> name = NameArgument("Who is to have it: it stands in the audit log.");
        Option<string> scope = new("--scope") { Description = "read: look at everything; operate: change things, too.", HelpName = "SCOPE", Required = true };
        scope.AcceptOnlyFromAmong("read", "operate");
        Option<TimeSpan?> expires = new("--expires")
        {
            Description = "How long it is valid, such as 90d [default: until it is revoked].",
            HelpName = "TIME",
            CustomParser = result =>
            {
                if (Units.ParseDuration(result.Tokens[0].Value) is { Value: TimeSpan time } && time >= TimeSpan.FromDays(1))
                {
                    return time;
                }

                result.AddError("--expires: give at least a day, such as 90d.");
                return null;
            },
        };
        Command command = new("add", "Make a token and print its secret, which is kept nowhere.") { name, scope, expires, _file };
        command.SetAction((parsed, _) => WithFileAsync(async () =>
        {
            string path = parsed.GetRequiredValue(_file);
            string who = parsed.GetRequiredValue(name);
            if (File.Exists(path) && TokenFile.Read(path).Tokens.Any(t => t.Name == who))
            {
                throw new ApiException($"{path} has a token {who} already; `token revoke {who}` ends it.");
            }

            DateOnly? day = parsed.GetValue(expires) is { } time ? DateOnly.FromDateTime((console.Time.GetUtcNow() + time).UtcDateTime) : null;
            (AccessToken token, string secret) = AccessToken.Create(who, parsed.GetValue(scope) == "operate" ? AccessScope.Operate : AccessScope.Read, day);
            TokenFile.Append(path, token);
            await console.Out.WriteLineAsync(parsed.GetValue(global.Json)
                ? JsonSerializer.Serialize(new TokenReport(who, parsed.GetRequiredValue(scope), day, secret), CliJson.Default.TokenReport)
                : secret);
        }));
        return command;
    }

    private Command List()
    {
        Command command = new("list", "The tokens of the file, without their secrets.") { _file };
        command.SetAction((parsed, _) => WithFileAsync(async () =>
        {
            string path = parsed.GetRequiredValue(_file);
            TokenFileContent content = TokenFile.Read(path);
            TokenReport[] tokens = [.. content.Tokens.Select(t => new TokenReport(t.Name, t.Scope == AccessScope.Operate ? "operate" : "read", t.Expires, null))];
            if (parsed.GetValue(global.Json))
            {
                await console.Out.WriteLineAsync(JsonSerializer.Serialize(tokens, CliJson.Default.TokenReportArray));
            }
            else
            {
                TextTable table = new("NAME", "SCOPE", "EXPIRES");
                foreach (TokenReport token in tokens)
                {
                    bool over = token.Expires is { } day && DateOnly.FromDateTime(console.Time.GetUtcNow().UtcDateTime) >= day;
                    string expires = token.Expires?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "never";
                    table.Add(token.Name, token.Scope, over ? new Cell(expires + ", expired", CellStyle.Warning) : expires);
                }

                table.Write(console, "No token: no remote caller gets in.");
            }

            if (content.Problems.Count > 0)
            {
                throw new ApiException($"{path}: {string.Join("; ", content.Problems)}");
            }
        }));
        return command;
    }

    private Command Revoke()
    {
        Argument<string> name = NameArgument("Whose.");
        Command command = new("revoke", "End a token; the running appliance refuses it within a second.") { name, _file };
        command.SetAction((parsed, _) => WithFileAsync(async () =>
        {
            string who = parsed.GetRequiredValue(name);
            if (!TokenFile.Remove(parsed.GetRequiredValue(_file), who))
            {
                throw new ApiException($"{parsed.GetRequiredValue(_file)} has no token {who}.");
            }

            await console.Out.WriteLineAsync(
                parsed.GetValue(global.Json) ? JsonSerializer.Serialize(new TokenReport(who, "none", null, null), CliJson.Default.TokenReport) : $"{who}: revoked.");
        }));
        return command;
    }

    private static Argument<string> NameArgument(string description)
    {
        Argument<string> name = new("NAME") { Description = description };
        name.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !AccessToken.IsName(text))
            {
                result.AddError($"'{text}' is not a name: letters, digits and .-_@ only, at most 64.");
            }
        });
        return name;
    }

    private static async Task<int> WithFileAsync(Func<Task> action)
    {
        try
        {
            await action();
            return ExitCode.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiException(e.Message, e);
        }
    }
}
