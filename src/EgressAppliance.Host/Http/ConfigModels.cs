namespace EgressAppliance.Host.Http;

/// <summary><c>GET /api/v1/config</c>: the configuration in force.</summary>
/// <param name="File">The file that it was read from; null for the built-in one of the demo.</param>
/// <param name="LoadedAt">When it was read, or null.</param>
/// <param name="Effective">The file as YAML with the defaults filled in. Of secrets there are only the names of their files.</param>
public sealed record ConfigDto(string? File, DateTimeOffset? LoadedAt, string Effective);

/// <summary>Answer of <c>POST /api/v1/config/check</c>.</summary>
/// <param name="Valid">True if there is no error: the appliance would start with it.</param>
/// <param name="Diagnostics">Errors and warnings, in the order of the text.</param>
public sealed record ConfigCheckDto(bool Valid, IReadOnlyList<ConfigDiagnosticDto> Diagnostics);

/// <summary>Something about a configuration.</summary>
/// <param name="Severity"><c>error</c> or <c>warning</c>.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">What to write instead.</param>
public sealed record ConfigDiagnosticDto(string Severity, int Line, int Column, string Message, string Remedy);
