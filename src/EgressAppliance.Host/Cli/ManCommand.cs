using System.CommandLine;
using System.Text;

namespace EgressAppliance.Host.Cli;

/// <summary><c>man</c>: the manual page, in the macros of man(7), made from the same commands and options as the help.</summary>
internal sealed class ManCommand(CommandConsole console)
{
    public Command Build()
    {
        Command command = new("man", "Print the manual page, to be read with `man -l`.");
        command.SetAction(async (parsed, _) =>
        {
            RootCommand root = (RootCommand)parsed.RootCommandResult.Command;
            await console.Out.WriteAsync(Page(root));
            return ExitCode.Done;
        });
        return command;
    }

    private static string Page(RootCommand root)
    {
        StringBuilder page = new();
        page.Append(".TH EGRESS-APPLIANCE 8 \"\" \"egress-appliance\" \"System Manager's Manual\"\n");
        page.Append(".SH NAME\negress-appliance \\- egress traffic manager\n");
        page.Append(".SH SYNOPSIS\n.B egress-appliance\n.I command\n[\\fIoptions\\fR]\n");
        page.Append(".SH DESCRIPTION\n").Append(Text(root.Description)).Append('\n')
            .Append("Results go to standard output, errors and progress to standard error.\n");
        page.Append(".SH OPTIONS\nThese go with every command.\n");
        foreach (Option option in root.Options)
        {
            Describe(page, option);
        }

        page.Append(".SH COMMANDS\n");
        foreach (Command command in root.Subcommands)
        {
            Describe(page, command, command.Name);
        }

        page.Append(".SH EXIT STATUS\n.TP\n.B 0\nIt did what was asked.\n.TP\n.B 1\nIt failed.\n.TP\n.B 2\nThe command line or the configuration was wrong.\n");
        page.Append(".SH FILES\n");
        foreach ((string file, string meaning) in new[]
        {
            (Config.ConfigLoader.DefaultPath, "The configuration."), (ApiClient.DefaultSocket, "The socket by which commands talk to the running appliance."),
            (Http.Access.TokenFile.DefaultPath, "Tokens for remote access."), ("/var/lib/egress-appliance/", "History, journal and audit log."),
        })
        {
            page.Append(".TP\n.I ").Append(Text(file)).Append('\n').Append(Text(meaning)).Append('\n');
        }

        return page.ToString();
    }

    private static void Describe(StringBuilder page, Command command, string path)
    {
        if (command.Subcommands.Count > 0)
        {
            foreach (Command sub in command.Subcommands)
            {
                Describe(page, sub, path + " " + sub.Name);
            }

            return;
        }

        page.Append(".SS ").Append(Text(path));
        foreach (Argument argument in command.Arguments)
        {
            string name = Text(argument.Name);
            page.Append(' ').Append(argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name);
        }

        page.Append('\n').Append(Text(command.Description)).Append('\n');
        foreach (Argument argument in command.Arguments.Where(a => a.Description is { Length: > 0 }))
        {
            page.Append(".TP\n.I ").Append(Text(argument.Name)).Append('\n').Append(Text(argument.Description)).Append('\n');
        }

        foreach (Option option in command.Options)
        {
            Describe(page, option);
        }
    }

    private static void Describe(StringBuilder page, Option option)
    {
        page.Append(".TP\n.B ").Append(string.Join(", ", new[] { option.Name }.Concat(option.Aliases.Where(a => a[0] == '-')).Distinct().Select(Text)));
        if (option.HelpName is { Length: > 0 } value)
        {
            page.Append(" \\fI").Append(Text(value)).Append("\\fR");
        }

        page.Append('\n').Append(Text(option.Description)).Append('\n');
    }

    /// <summary>Text that troff takes for text: no escapes, no line that begins as a request.</summary>
    private static string Text(string? text)
    {
        string escaped = (text ?? "").Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped.Length > 0 && escaped[0] is '.' or '\'' ? "\\&" + escaped : escaped;
    }
}
