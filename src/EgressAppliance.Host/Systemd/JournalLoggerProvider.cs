using System.Globalization;

namespace EgressAppliance.Host.Systemd;

/// <summary>
/// Logs to the journal with fields: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, EVENT_ID, CATEGORY, EXCEPTION, and the values of message and scopes as
/// EGRESS_PREFIX, EGRESS_LINK and so on, by which <c>journalctl</c> selects.
/// </summary>
public sealed class JournalLoggerProvider : ILoggerProvider, ISupportExternalScope
{
    /// <summary>Name of the program in the journal.</summary>
    public const string Identifier = "egress-appliance";

    /// <summary>The name under which messages bring their own template, which is no value.</summary>
    private const string Template = "{OriginalFormat}";

    private readonly JournalSocket _socket;
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    /// <summary>Logs by a socket, and owns it.</summary>
    public JournalLoggerProvider(JournalSocket socket) => _socket = socket;

    /// <summary>
    /// Whether standard error goes to the journal: systemd says in <c>$JOURNAL_STREAM</c> which socket it connected (systemd.exec(5)); if standard
    /// error was redirected since, it is another one.
    /// </summary>
    public static bool IsStandardErrorOfJournal
    {
        get
        {
            string? stream = Environment.GetEnvironmentVariable("JOURNAL_STREAM");
            if (string.IsNullOrEmpty(stream))
            {
                return false;
            }

            try
            {
                return new FileInfo("/proc/self/fd/2").LinkTarget == $"socket:[{stream[(stream.IndexOf(':', StringComparison.Ordinal) + 1)..]}]";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new JournalLogger(this, categoryName);

    /// <inheritdoc/>
    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>Priorities of syslog(3).</summary>
    private static string PriorityOf(LogLevel level) => level switch
    {
        LogLevel.Critical => "2",
        LogLevel.Error => "3",
        LogLevel.Warning => "4",
        LogLevel.Information => "6",
        _ => "7",
    };

    private static void AddValues(JournalRecord record, object? state)
    {
        if (state is IEnumerable<KeyValuePair<string, object?>> values)
        {
            foreach ((string key, object? value) in values)
            {
                if (key != Template)
                {
                    record.AddValue(key, value);
                }
            }
        }
        else if (state is not null)
        {
            record.AddValue("scope", state);
        }
    }

    private sealed class JournalLogger(JournalLoggerProvider owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            string message = formatter(state, exception);
            JournalRecord record = new JournalRecord()
                .Add("MESSAGE", exception is null ? message : message + '\n' + exception)
                .Add("PRIORITY", PriorityOf(logLevel))
                .Add("SYSLOG_IDENTIFIER", Identifier)
                .Add("EVENT_ID", eventId.Id.ToString(CultureInfo.InvariantCulture))
                .Add("CATEGORY", category);
            if (exception is not null)
            {
                record.Add("EXCEPTION", exception.GetType().FullName ?? exception.GetType().Name);
            }

            // A message without values is no scope.
            if (state is IEnumerable<KeyValuePair<string, object?>>)
            {
                AddValues(record, state);
            }

            owner._scopes.ForEachScope(static (scope, into) => AddValues(into, scope), record);
            owner._socket.Send(record);
        }
    }
}
