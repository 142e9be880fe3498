using EgressAppliance.Host.Steering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace EgressAppliance.Host.Http;

/// <summary>The description of the API at <c>/openapi/v1.json</c> (OpenAPI 3.1), made from the endpoints and the documents' XML comments.</summary>
internal static class OpenApiDescription
{
    /// <summary>Adds what makes it.</summary>
    public static void Add(IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "EgressAppliance",
                Version = "v1",
                Description = "Names are snake_case; rates are bit/s, ratios 0 to 1, times RFC 3339 in UTC. Errors are problem documents (RFC 9457). "
                    + "Answers have an entity tag: with If-None-Match, 304 says that nothing has changed. Fields may be added to v1; none is removed or changes its meaning.",
            };

            // Each installation has its own address: whoever reads this reached it.
            document.Servers = [];
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                ["token"] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "For remote callers. A token with the scope `read` may not change anything; on loopback and on the unix socket none is needed.",
                },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("token", document)] = [] }];
            return Task.CompletedTask;
        });
    });
}
