using System.Text.Json.Serialization;
using EgressAppliance.Decision.Json;

namespace EgressAppliance.Decision.Journal;

/// <summary>What can be wrong with a journal file.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<JournalFaultKind>))]
public enum JournalFaultKind
{
    /// <summary>The file cannot be read: it is missing, or not allowed, or the disk fails.</summary>
    Unreadable,

    /// <summary>The compressed data are damaged, or are no gzip.</summary>
    Corrupt,

    /// <summary>It ends before its header is whole: there is nothing to replay.</summary>
    NoHeader,

    /// <summary>It is of a format that this program does not know.</summary>
    UnknownVersion,

    /// <summary>A line is longer than any that is written.</summary>
    LineTooLong,

    /// <summary>A line holds something that this program does not know, and without which it would decide differently.</summary>
    UnknownMember,

    /// <summary>A line is not what the format says.</summary>
    BadLine,
}

/// <summary>What is wrong with a journal file, and where.</summary>
/// <param name="Kind">What.</param>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1; 0 if it is about the file as such.</param>
/// <param name="Message">In words.</param>
public sealed record JournalFault(JournalFaultKind Kind, string File, long Line, string Message)
{
    /// <summary><c>file:line: message</c></summary>
    public override string ToString() => Line > 0 ? $"{File}:{Line}: {Message}" : $"{File}: {Message}";
}

/// <summary>Carries a fault from where it is found to the reader's caller.</summary>
internal sealed class JournalException : Exception
{
    public JournalException(JournalFaultKind kind, string message)
        : base(message) => Kind = kind;

    public JournalException(JournalFaultKind kind, string message, Exception inner)
        : base(message, inner) => Kind = kind;

    public JournalFaultKind Kind { get; }
}
